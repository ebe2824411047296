package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/cluster"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/leader"
	"github.com/honua-io/honua-gitops/reconciler/node"
)

// leaderTask runs the leader half while this node leads.
type leaderTask struct{ app *app }

func (t *leaderTask) Lead(ctx context.Context, term cluster.Term) error {
	t.app.group.lead(time.Now())
	return t.app.leader.Lead(ctx, term.Number)
}

// proposer is the cluster as the leader half sees it.
type proposer struct{ cluster *cluster.Node }

func (p proposer) Propose(ctx context.Context, term uint64, payload *pb.Payload) (fsm.Result, error) {
	return p.cluster.Propose(ctx, cluster.Command{Term: term, Payload: payload, Awaited: leader.Awaited(payload)})
}

// callers is the cluster as the admin API sees it.
type callers struct{ cluster *cluster.Node }

func (c callers) Propose(ctx context.Context, requestID string, issuedAt int64, caller *pb.Caller, payload *pb.Payload) (fsm.Result, error) {
	return c.cluster.Propose(ctx, cluster.Command{RequestID: requestID, IssuedAt: issuedAt, Caller: caller, Payload: payload})
}

// group is the raft configuration as the leader half sees it.
type group struct {
	mu      sync.Mutex
	cluster *cluster.Node
	since   time.Time
}

func (g *group) bind(c *cluster.Node) { g.cluster = c }

// lead notes when this node began to lead: silence counts from there.
func (g *group) lead(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.since = now
}

// Voters returns the ids of the voters, sorted.
func (g *group) Voters() []string { return g.ids(true) }

// Members returns the ids of all servers, sorted.
func (g *group) Members() []string { return g.ids(false) }

func (g *group) ids(votersOnly bool) []string {
	var ids []string
	for _, s := range g.cluster.Status().Servers {
		if s.Voter || !votersOnly {
			ids = append(ids, s.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Silence is how long raft has not heard of a server.
func (g *group) Silence(id string) time.Duration {
	if id == g.cluster.NodeID() {
		return 0
	}
	g.mu.Lock()
	since := g.since
	g.mu.Unlock()
	if last := g.cluster.LastContact(id); last.After(since) {
		since = last
	}
	return time.Since(since)
}

// nodes reaches the node half of a member; this node's own without a connection.
type nodes struct {
	cluster *cluster.Node
	self    string
	local   *node.Node
}

// Node returns a client of a member's node half.
func (n *nodes) Node(id string) (pb.NodeServiceClient, error) {
	if id == n.self {
		return localNode{n.local}, nil
	}
	conn, err := n.cluster.Conn(id)
	if err != nil {
		return nil, err
	}
	return pb.NewNodeServiceClient(conn), nil
}

// NodeStatus asks a member how it is.
func (n *nodes) NodeStatus(ctx context.Context, id string) (*pb.GetNodeStatusResponse, error) {
	client, err := n.Node(id)
	if err != nil {
		return nil, err
	}
	return client.GetNodeStatus(ctx, &pb.GetNodeStatusRequest{})
}

// InspectDrift has a member compare what it has with what is deployed.
func (n *nodes) InspectDrift(ctx context.Context, id, environment string) (*pb.InspectDriftResponse, error) {
	client, err := n.Node(id)
	if err != nil {
		return nil, err
	}
	return client.InspectDrift(ctx, &pb.InspectDriftRequest{Environment: environment})
}

// localNode is this node's own half as a client.
type localNode struct{ node *node.Node }

func (l localNode) Stage(ctx context.Context, in *pb.StageRequest, _ ...grpc.CallOption) (*pb.StageResponse, error) {
	return l.node.Stage(ctx, in)
}

func (l localNode) Verify(ctx context.Context, in *pb.VerifyRequest, _ ...grpc.CallOption) (*pb.VerifyResponse, error) {
	return l.node.Verify(ctx, in)
}

func (l localNode) GetNodeStatus(ctx context.Context, in *pb.GetNodeStatusRequest, _ ...grpc.CallOption) (*pb.GetNodeStatusResponse, error) {
	return l.node.GetNodeStatus(ctx, in)
}

func (l localNode) InspectDrift(ctx context.Context, in *pb.InspectDriftRequest, _ ...grpc.CallOption) (*pb.InspectDriftResponse, error) {
	return l.node.InspectDrift(ctx, in)
}

// membership is the raft group as the admin API sees it.
type membership struct{ *cluster.Node }

// Status translates what this node knows.
func (m *membership) Status() admin.Status {
	s := m.Node.Status()
	status := admin.Status{
		NodeID: s.NodeID, LeaderID: s.LeaderID, LeaderAddress: s.LeaderGRPC, Term: s.Term,
		AppliedIndex: s.AppliedIndex, CommitIndex: s.CommitIndex, HasQuorum: s.HasQuorum, Halted: s.Fatal,
	}
	for _, server := range s.Servers {
		status.Servers = append(status.Servers, admin.RaftServer{ID: server.ID, RaftAddress: server.Address, Voter: server.Voter})
	}
	return status
}

// Members translates what gossip sees.
func (m *membership) Members() []admin.Member {
	var members []admin.Member
	for _, x := range m.Node.Members() {
		members = append(members, admin.Member{
			ID: x.ID, Address: x.Gossip, Status: memberStatus(x.Status), RaftAddress: x.Raft,
			GRPCAddress: x.GRPC, HTTPAddress: x.HTTP, Voter: x.Voter, Version: x.Version,
		})
	}
	return members
}

// Add lets a running node know of this cluster, so that it asks to be admitted,
// and waits until it is.
func (m *membership) Add(ctx context.Context, address string) (string, uint64, error) {
	return m.Invite(ctx, address)
}

// gossipKeys is the keyring of all nodes as the admin API sees it.
type gossipKeys struct{ cluster *cluster.Node }

// List asks all nodes.
func (g *gossipKeys) List(ctx context.Context) []admin.NodeKeys {
	return shownKeys(g.cluster.GossipKeys(ctx))
}

// Change makes one step of a rotation.
func (g *gossipKeys) Change(ctx context.Context, operation string, key []byte, fingerprint string) ([]admin.NodeKeys, error) {
	nodes, err := g.cluster.ChangeGossipKey(ctx, cluster.KeyChange{Operation: cluster.KeyOperation(operation), Key: key, Fingerprint: fingerprint})
	return shownKeys(nodes), err
}

func shownKeys(nodes []cluster.NodeKeys) []admin.NodeKeys {
	shown := make([]admin.NodeKeys, len(nodes))
	for i, n := range nodes {
		shown[i] = admin.NodeKeys{NodeID: n.NodeID, Primary: n.Primary, Keys: n.All}
		if n.Err != nil {
			shown[i].Problem = n.Err.Error()
		}
	}
	return shown
}

func memberStatus(s cluster.MemberStatus) string {
	if s == cluster.MemberFailed {
		return "dead"
	}
	return string(s)
}

// classify tells the admin API what an error of the cluster means for a caller.
func classify(err error) admin.Failure {
	for _, row := range []struct {
		err     error
		failure admin.Failure
	}{
		{cluster.ErrUnknownOutcome, admin.UnknownOutcome},
		{cluster.ErrNoLeader, admin.NoQuorum},
		{cluster.ErrNotLeader, admin.NoQuorum},
		{cluster.ErrStopping, admin.NoQuorum},
		{cluster.ErrOverloaded, admin.Overloaded},
		{cluster.ErrTooLarge, admin.TooLarge},
		{cluster.ErrUnapplicable, admin.Unapplicable},
		{cluster.ErrHalted, admin.Halted},
		{cluster.ErrUnknownNode, admin.UnknownNode},
		{cluster.ErrLastVoter, admin.MembershipRefused},
		{cluster.ErrWouldLoseQuorum, admin.MembershipRefused},
		{cluster.ErrNotVoter, admin.MembershipRefused},
		{cluster.ErrForeignCluster, admin.MembershipRefused},
		{cluster.ErrUnreachable, admin.UnknownNode},
		{cluster.ErrDenied, admin.Denied},
		{cluster.ErrNoKeyring, admin.Precondition},
		{cluster.ErrBadKey, admin.Invalid},
		{cluster.ErrUnknownKey, admin.NotFound},
		{cluster.ErrKeyInUse, admin.Precondition},
	} {
		if errors.Is(err, row.err) {
			return row.failure
		}
	}
	return ""
}
