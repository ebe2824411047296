package admin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// epoch is when the tests' cluster begins.
var epoch = time.Date(2026, 11, 21, 14, 30, 22, 0, time.UTC)

// oneNode is a cluster of one node without raft: what is proposed is applied.
type oneNode struct {
	t     *testing.T
	store *fsm.Store

	mu     sync.Mutex
	index  uint64
	now    time.Time
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
	n := &oneNode{t: t, store: fsm.NewStore(fsm.New()), now: epoch, status: Status{
		NodeID: "n1", LeaderID: "n1", LeaderAddress: "127.0.0.1:7700", Term: 1, HasQuorum: true,
		Servers: []RaftServer{{ID: "n1", RaftAddress: "127.0.0.1:7701", Voter: true}},
	}}
	approve := &pb.PolicyValue{RequiresApproval: true, MinimumApprovers: 1, ForbidAuthorApproval: true, ApprovalTimeoutMs: 3_600_000, Canonical: []byte("approve")}
	n.lead(&pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{
		ClusterId: "c1", ClusterName: "honua", SettingsDigest: "d1", Settings: &pb.SettingsValue{
			PollIntervalMs: 30_000, Environments: []*pb.EnvironmentValue{
				{Name: "development", Branch: "main", Policy: &pb.PolicyValue{Canonical: []byte("open")}},
				{Name: "production", Branch: "main", Policy: approve},
			}},
	}}})
	n.lead(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{
		NodeId: "n1", Incarnation: "i1", Voter: true, Version: "v1", RaftAddress: "127.0.0.1:7701",
		GrpcAddress: "127.0.0.1:7700", HttpAddress: "127.0.0.1:5000", GossipAddress: "127.0.0.1:7702",
	}}})
	return n
}

// apply executes a command as the next log entry.
func (n *oneNode) apply(h fsm.Header, payload *pb.Payload) fsm.Result {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.index++
	h.Proposer, h.ProposedAt = "n1", n.now.UnixMilli()
	data, err := fsm.Encode(h, payload)
	if err != nil {
		n.t.Fatal(err)
	}
	result, err := n.store.Apply(fsm.Entry{Index: n.index, Term: 1, Data: data})
	if err != nil {
		n.t.Fatal(err)
	}
	return result
}

// lead executes a decision of the leader, which must not be refused.
func (n *oneNode) lead(payload *pb.Payload) fsm.Result {
	n.t.Helper()
	result := n.apply(fsm.Header{Term: 1}, payload)
	if err := result.Err(); err != nil {
		n.t.Fatalf("%T: %v", payload.GetCommand(), err)
	}
	return result
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
	return n.apply(fsm.Header{RequestID: id, IssuedAt: issued, Caller: caller}, payload), nil
}

func (n *oneNode) Linearize(context.Context) (*fsm.State, error) {
	return n.store.State(), n.failure()
}

func (n *oneNode) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.status
}

func (n *oneNode) Members() []Member {
	return []Member{{ID: "n1", Address: "127.0.0.1:7702", Status: "alive", Voter: true, Version: "v1"}}
}

func (n *oneNode) Transfer(_ context.Context, id string) error {
	if err := n.failure(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status.Term++
	n.status.LeaderID = cmp.Or(id, "n2")
	return nil
}

func (n *oneNode) Remove(_ context.Context, id string) (uint64, error) {
	if err := n.failure(); err != nil {
		return 0, err
	}
	n.removed = append(n.removed, id)
	return 41, nil
}

func (n *oneNode) Add(_ context.Context, id, address string, voter bool) (uint64, error) {
	if err := n.failure(); err != nil {
		return 0, err
	}
	n.added = append(n.added, fmt.Sprint(id, " ", address, " ", voter))
	return 42, nil
}

func (n *oneNode) environment(name string) *fsm.Environment {
	n.t.Helper()
	e := n.store.State().Environment(name)
	if e == nil {
		n.t.Fatalf("no environment %s", name)
	}
	return e
}

// advance moves the clock, so that every deployment has its own id.
func (n *oneNode) advance(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

// commit is 40 digits that begin with a word.
func commit(word string) string {
	return (fmt.Sprintf("%x", word) + strings.Repeat("0", 40))[:40]
}

// create records the content of a commit and returns the deployment's id.
func (n *oneNode) create(environment, word string) string {
	n.t.Helper()
	n.advance(time.Second)
	raw, err := bundle.Encode([]bundle.File{{Path: "environments/" + environment + "/metadata.json", Content: []byte(word)}})
	if err != nil {
		n.t.Fatal(err)
	}
	digest := bundle.Digest(raw)
	n.lead(&pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
		UploadId: digest[:8], Digest: digest, Total: 1, RawSize: int64(len(raw)), Data: bundle.Compress(raw),
	}}})
	return n.lead(&pb.Payload{Command: &pb.Payload_CreateDeployment{CreateDeployment: &pb.CreateDeployment{
		Environment: environment, ExpectedSequence: n.environment(environment).Sequence,
		IdStem: environment + n.now.Format("-20060102-150405"), Commit: commit(word),
		Digest: digest, Branch: "main", Author: "Ada", AuthorEmail: "ada@example.com", Message: "add " + word,
		Contributors: []*pb.ContributorValue{{Name: "Ada", Email: "ada@example.com", Role: "author"}},
		Risk:         pb.RiskValue_RISK_VALUE_LOW, EstimatedMs: 1500,
		Plan: []byte(`{"environment":"` + environment + `","risk":"High","added":[{"kind":"Layer","id":"` + word + `","service":"gis","file":"metadata.json"}],
			"modified":[{"kind":"Layer","id":"cities","fields":["srid"],"file":"metadata.json","breaking":true}],
			"breaking":[{"kind":"Layer","id":"cities","reason":"srid changed"}]}`),
	}}}).DeploymentID
}

// stage begins a deployment and lets the only node stage it.
func (n *oneNode) stage(environment, id string) {
	n.t.Helper()
	n.lead(&pb.Payload{Command: &pb.Payload_BeginStaging{BeginStaging: &pb.BeginStaging{
		Environment: environment, ExpectedSequence: n.environment(environment).Sequence, DeploymentId: id,
		Participants: []*pb.ParticipantValue{{NodeId: "n1", Incarnation: "i1"}}, Voters: []string{"n1"},
	}}})
	n.lead(&pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: &pb.RecordStaging{
		Environment: environment, ExpectedSequence: n.environment(environment).Sequence,
		Operation: n.environment(environment).Operation.ID, Answers: n.yes(),
	}}})
}

// finish activates what is staged and lets the only node verify it.
func (n *oneNode) finish(environment string) {
	n.t.Helper()
	n.lead(&pb.Payload{Command: &pb.Payload_Activate{Activate: &pb.Activate{
		Environment: environment, ExpectedSequence: n.environment(environment).Sequence,
		Operation: n.environment(environment).Operation.ID, Voters: []string{"n1"},
	}}})
	n.lead(&pb.Payload{Command: &pb.Payload_FinishDeployment{FinishDeployment: &pb.FinishDeployment{
		Environment: environment, ExpectedSequence: n.environment(environment).Sequence,
		Operation: n.environment(environment).Operation.ID, Answers: n.yes(),
	}}})
}

func (n *oneNode) yes() []*pb.AnswerValue {
	return []*pb.AnswerValue{{NodeId: "n1", Incarnation: "i1", Accepted: true}}
}

// deploy takes a commit of development all the way.
func (n *oneNode) deploy(word string) string {
	n.t.Helper()
	id := n.create("development", word)
	n.stage("development", id)
	n.finish("development")
	return id
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
