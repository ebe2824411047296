package fsm

import (
	"slices"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// registerNode records a member's admission or new address.
func (c *change) registerNode(command *pb.RegisterNode) (Result, error) {
	if command.GetNodeId() == "" || command.GetIncarnation() == "" {
		return Result{}, refuse(ClassInvalid, "bad_node", "a node needs an id and an incarnation")
	}
	n := &Node{ID: command.GetNodeId(), Since: c.now(), Available: true}
	known := c.nodes.get(n.ID)
	if known != nil && known.Incarnation == command.GetIncarnation() {
		*n = *known
	}
	n.Incarnation, n.Voter, n.Version = command.GetIncarnation(), command.GetVoter(), command.GetVersion()
	n.RaftAddress, n.GRPCAddress = command.GetRaftAddress(), command.GetGrpcAddress()
	n.HTTPAddress, n.GossipAddress = command.GetHttpAddress(), command.GetGossipAddress()
	c.nodes.put(n)
	c.assessAll(known, n)
	role := "voter"
	if !n.Voter {
		role = "non-voter"
	}
	c.audit("node.register", "", n.ID, "", role+" "+n.RaftAddress)
	return Result{}, nil
}

// forgetNode drops a node that left the configuration.
func (c *change) forgetNode(command *pb.ForgetNode) (Result, error) {
	if c.nodes.get(command.GetNodeId()) == nil {
		return Result{}, refuse(ClassNotFound, "unknown_node", "there is no node %q", command.GetNodeId())
	}
	known := c.nodes.get(command.GetNodeId())
	c.nodes.drop(known.ID)
	c.assessAll(known, nil)
	c.audit("node.forget", "", command.GetNodeId(), command.GetReason(), "")
	return Result{}, nil
}

// observeNode records what the leader saw of a node. Availability decides who
// takes part in staging, so it changes by commands alone (I11).
func (c *change) observeNode(command *pb.ObserveNode) (Result, error) {
	known := c.nodes.get(command.GetNodeId())
	if known == nil {
		return Result{}, refuse(ClassNotFound, "unknown_node", "there is no node %q", command.GetNodeId())
	}
	if known.Incarnation != command.GetIncarnation() {
		return Result{}, refuse(ClassAborted, "stale_incarnation", "node %q has another data directory now", known.ID)
	}
	n := *known
	if n.Available != command.GetAvailable() {
		n.Available, n.Since = command.GetAvailable(), c.now()
		c.audit(availability(n.Available), "", n.ID, "", "")
	}
	if n.Available {
		c.report(&n, command)
	}
	c.nodes.put(&n)
	c.assessAll(known, &n)
	return Result{}, nil
}

func availability(available bool) string {
	if available {
		return "node.available"
	}
	return "node.unavailable"
}

// report copies what only the node itself can say.
func (c *change) report(n *Node, command *pb.ObserveNode) {
	n.Version, n.Format, n.SettingsDigest = command.GetVersion(), command.GetFormat(), command.GetSettingsDigest()
	if a := command.GetRaftAddress(); a != "" {
		n.RaftAddress, n.GRPCAddress = a, command.GetGrpcAddress()
		n.HTTPAddress, n.GossipAddress = command.GetHttpAddress(), command.GetGossipAddress()
	}
	reported := make([]Served, 0, len(command.GetServes()))
	for _, s := range command.GetServes() {
		reported = append(reported, Served{
			Environment: s.GetEnvironment(), Epoch: s.GetEpoch(), Index: s.GetActivationIndex(),
			Digest: s.GetDigest(), Healthy: s.GetHealthy(), Message: s.GetMessage(),
		})
	}
	n.Serves = n.newest(reported)
}

// newest merges what a node reports with what is known of it. An incarnation
// never goes back to an earlier activation (I2), so a report that says so is
// older than what is known.
func (n *Node) newest(reported []Served) []Served {
	merged := slices.Clone(reported)
	places := make(map[string]int, len(merged))
	for at := range merged {
		places[merged[at].Environment] = at
	}
	for _, known := range n.Serves {
		at, ok := places[known.Environment]
		switch {
		case !ok:
			merged = append(merged, known)
		case known.after(merged[at]):
			merged[at] = known
		}
	}
	slices.SortFunc(merged, func(a, b Served) int { return strings.Compare(a.Environment, b.Environment) })
	return merged
}

// Knows reports whether what a node says that it serves is no news: the same as what is known of it, or older.
func (n *Node) Knows(reported Served) bool {
	known := n.serves(reported.Environment)
	return known != nil && (*known == reported || known.after(reported))
}

// after reports whether an activation comes after another one's.
func (s Served) after(o Served) bool {
	return s.Epoch > o.Epoch || s.Epoch == o.Epoch && s.Index > o.Index
}

// serves returns what a node is known to serve of an environment, or nil.
func (n *Node) serves(environment string) *Served {
	at, ok := slices.BinarySearchFunc(n.Serves, environment, func(s Served, name string) int { return strings.Compare(s.Environment, name) })
	if !ok {
		return nil
	}
	return &n.Serves[at]
}

// Serving returns what the node is known to serve of an environment.
func (n *Node) Serving(environment string) (Served, bool) {
	if s := n.serves(environment); s != nil {
		return *s, true
	}
	return Served{}, false
}

// noteServed records that a node said, in an answer, that it serves an activation.
func (c *change) noteServed(nodeID string, active *Active, environment string) {
	known := c.nodes.get(nodeID)
	if known == nil {
		return
	}
	n := *known
	n.Serves = slices.Clone(known.Serves)
	served := Served{Environment: environment, Epoch: active.Epoch, Index: active.Index, Digest: active.Digest, Healthy: true}
	if s := n.serves(environment); s != nil {
		*s = served
	} else {
		n.Serves = append(n.Serves, served)
		slices.SortFunc(n.Serves, func(a, b Served) int { return strings.Compare(a.Environment, b.Environment) })
	}
	c.nodes.put(&n)
}
