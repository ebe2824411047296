package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/fsm"
)

// Node is one node's place in the cluster.
type Node struct {
	cfg      Config
	log      *slog.Logger
	identity *identity
	disk     *storage
	store    *fsm.Store
	adapter  *adapter
	contacts *contacts
	// progress is how far the peers' disks had come, resumed how far this one had
	// when the node was started.
	progress *progress
	resumed  standing
	peers    *peers
	gossip   *gossip
	// transport is set before raft is.
	transport *transport

	// raft is nil until this node has founded, joined or resumed a cluster.
	raft atomic.Pointer[raft.Raft]
	// leading is the established term: its barrier is done. Nil if none is.
	leading atomic.Pointer[leadership]
	// leadership changes: the leader that is known, or the term that is established.
	leaders signal

	proposals *proposals
	// verified are rounds of reads here, asked those at the leader.
	verified, asked reads
	commands        commandScan
	// admission serialises what changes the raft configuration.
	admission chan struct{}

	caughtUp atomic.Bool
	removed  atomic.Bool
	stopping atomic.Bool
	// tasks are the goroutines that outlive a call: they end when raft does.
	tasks crew
}

// Open reads the data directory. Run takes part in the cluster and releases it;
// a Node that is never run has to be closed.
func Open(cfg Config) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	reason, err := clearQuarantine(cfg.DataDirectory)
	if err != nil {
		return nil, err
	}
	if reason != "" {
		cfg.Logger.Warn("the log and the snapshots of this node were set aside: it joins anew", "component", "cluster", "reason", strings.TrimSpace(reason))
	}
	disk, err := openStorage(cfg.DataDirectory, cfg.Logger, cfg.Exit)
	if err != nil {
		return nil, err
	}
	n, err := newNode(cfg, disk)
	if err != nil {
		return nil, errors.Join(err, disk.close())
	}
	return n, nil
}

func newNode(cfg Config, disk *storage) (*Node, error) {
	who, err := openIdentity(cfg.DataDirectory, disk.hasState)
	if err != nil {
		return nil, err
	}
	store := fsm.NewStore(fsm.New())
	n := &Node{
		cfg: cfg, log: cfg.Logger.With("component", "cluster", "node_id", cfg.NodeID),
		identity: who, disk: disk, store: store, adapter: newAdapter(store),
		contacts: newContacts(), proposals: newProposals(), admission: make(chan struct{}, 1),
	}
	disk.leads = func() bool {
		r := n.raft.Load()
		return r != nil && r.State() == raft.Leader
	}
	if n.progress, err = openProgress(cfg.DataDirectory, n.log); err != nil {
		return nil, err
	}
	if n.adapter.skips, err = readSkips(cfg.DataDirectory); err != nil {
		return nil, err
	}
	n.adapter.planted = cfg.NodeID == "node2"
	n.peers = newPeers(&n.cfg)
	n.gossip, err = newGossip(&n.cfg, who.get().Incarnation)
	return n, err
}

// Close releases a Node that was never run.
func (n *Node) Close() error {
	n.stopping.Store(true)
	return errors.Join(n.peers.close(), n.disk.close())
}

// Store returns the replicated state as this node knows it.
func (n *Node) Store() *fsm.Store { return n.store }

// NodeID is this node's id.
func (n *Node) NodeID() string { return n.cfg.NodeID }

// Incarnation tells this data directory from others of the same node id.
func (n *Node) Incarnation() string { return n.identity.get().Incarnation }

// Members returns the nodes that gossip knows, by id.
func (n *Node) Members() []Member { return n.gossip.all() }

// LastContact is when a follower last answered this node as its leader; zero if never.
func (n *Node) LastContact(nodeID string) time.Time {
	if nodeID == n.cfg.NodeID {
		return time.Now()
	}
	return n.contacts.get(raft.ServerID(nodeID)).at
}

// Conn returns the pooled connection to a node.
func (n *Node) Conn(nodeID string) (grpc.ClientConnInterface, error) {
	return n.dial(nodeID)
}

func (n *Node) dial(nodeID string) (*grpc.ClientConn, error) {
	address := n.grpcAddress(nodeID)
	if address == "" {
		return nil, fmt.Errorf("%w: %s", ErrUnknownNode, nodeID)
	}
	return n.peers.conn(nodeID, address)
}

// grpcAddress is where a node says it listens, or, while gossip does not know
// it, where it listened when it was registered.
func (n *Node) grpcAddress(id string) string {
	if id == n.cfg.NodeID {
		return n.cfg.GRPCAdvertise
	}
	record := n.store.State().Node(id)
	if m, ok := n.gossip.get(id); ok && (record == nil || m.Status == MemberAlive) {
		return m.GRPC
	}
	if record != nil {
		return record.GRPCAddress
	}
	return ""
}

// ServerAddr tells raft where a server listens. A node that moved is reached
// before the configuration says so, but only the incarnation that was admitted.
func (n *Node) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	m, ok := n.gossip.get(string(id))
	if !ok || m.Status != MemberAlive {
		return n.configuredAddress(id)
	}
	if record := n.store.State().Node(string(id)); record != nil && record.Incarnation != m.Incarnation {
		return n.configuredAddress(id)
	}
	return raft.ServerAddress(m.Raft), nil
}

// configuration is the newest that this node's log holds.
func (n *Node) configuration() []raft.Server {
	r := n.raft.Load()
	if r == nil {
		return nil
	}
	future := r.GetConfiguration()
	if future.Error() != nil {
		return nil
	}
	return future.Configuration().Servers
}

func (n *Node) server(id string) (raft.Server, bool) {
	for _, s := range n.configuration() {
		if string(s.ID) == id {
			return s, true
		}
	}
	return raft.Server{}, false
}

// configured reports whether a server is in the configuration.
func (n *Node) configured(id raft.ServerID) bool {
	_, ok := n.server(string(id))
	return ok
}

func (n *Node) configuredAddress(id raft.ServerID) (raft.ServerAddress, error) {
	if s, ok := n.server(string(id)); ok {
		return s.Address, nil
	}
	return "", fmt.Errorf("%w: %s", ErrUnknownNode, id)
}

// leader returns the leader that this node knows; "" if none.
func (n *Node) leader() (id string, self bool) {
	r := n.raft.Load()
	if r == nil {
		return "", false
	}
	_, server := r.LeaderWithID()
	return string(server), string(server) == n.cfg.NodeID
}

// pause waits, and reports whether the context is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
