package admin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// epoch is when the tests' cluster begins.
var epoch = admintest.Epoch

// oneNode is what a server needs of a cluster, over one without raft.
type oneNode struct {
	*admintest.Node

	mu     sync.Mutex
	status Status
	// fail is what proposals, reads and changes of membership fail with.
	fail    error
	added   []string
	removed []string
}

// Errors that the tests' cluster fails with.
var (
	errNoLeader    = errors.New("no leader was found")
	errOverloaded  = errors.New("too many commands are in flight")
	errMaybe       = errors.New("leadership was lost")
	errUnknownNode = errors.New("no such node")
	errUnheardOf   = errors.New("something that nobody foresaw")
)

func classify(err error) Failure {
	for known, failure := range map[error]Failure{
		errNoLeader: NoQuorum, errOverloaded: Overloaded, errMaybe: UnknownOutcome, errUnknownNode: UnknownNode,
	} {
		if errors.Is(err, known) {
			return failure
		}
	}
	return ""
}

func newOneNode(t *testing.T) *oneNode {
	t.Helper()
	return &oneNode{Node: admintest.New(t), status: Status{
		NodeID: "n1", LeaderID: "n1", LeaderAddress: "127.0.0.1:7700", Term: 1, HasQuorum: true,
		Servers: []RaftServer{{ID: "n1", RaftAddress: "127.0.0.1:7701", Voter: true}},
	}}
}

func (n *oneNode) failure() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fail
}

func (n *oneNode) failWith(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = err
}

func (n *oneNode) Propose(_ context.Context, id string, issued int64, caller *pb.Caller, payload *pb.Payload) (fsm.Result, error) {
	if err := n.failure(); err != nil {
		return fsm.Result{}, err
	}
	return n.Apply(fsm.Header{RequestID: id, IssuedAt: issued, Caller: caller}, payload), nil
}

func (n *oneNode) Linearize(context.Context) (*fsm.State, error) {
	return n.Store().State(), n.failure()
}

func (n *oneNode) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.status
}

func (n *oneNode) Members() []Member {
	return []Member{{ID: "n1", Address: "127.0.0.1:7702", Status: "alive", Voter: true, Version: "v1"}}
}

func (n *oneNode) Transfer(_ context.Context, _ *pb.Caller, id string) error {
	if err := n.failure(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status.Term++
	n.status.LeaderID = cmp.Or(id, "n2")
	return nil
}

func (n *oneNode) Remove(_ context.Context, _ *pb.Caller, id string) (uint64, error) {
	if err := n.failure(); err != nil {
		return 0, err
	}
	n.removed = append(n.removed, id)
	return 41, nil
}

func (n *oneNode) Add(_ context.Context, address string) (string, uint64, error) {
	if err := n.failure(); err != nil {
		return "", 0, err
	}
	n.added = append(n.added, address)
	return "n2", 42, nil
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
