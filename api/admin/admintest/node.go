// Package admintest is a cluster for tests: one node, without raft, whose
// replicated state is real and driven as a leader would drive it.
package admintest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Epoch is when a cluster begins.
var Epoch = time.Date(2026, 11, 21, 14, 30, 22, 0, time.UTC)

// Node is a cluster of the one voter n1: what is proposed is applied. It has the
// environments development, which deploys by itself, and production, which
// wants one approval by somebody who did not contribute.
type Node struct {
	t     testing.TB
	store *fsm.Store

	mu    sync.Mutex
	index uint64
	now   time.Time
}

// New returns an initialised cluster.
func New(t testing.TB) *Node {
	t.Helper()
	n := &Node{t: t, store: fsm.NewStore(fsm.New()), now: Epoch}
	approve := &pb.PolicyValue{
		RequiresApproval: true, MinimumApprovers: 1, ForbidAuthorApproval: true,
		ApprovalTimeoutMs: 3_600_000, Canonical: []byte("approve"),
	}
	n.Lead(&pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{
		ClusterId: "c1", ClusterName: "honua", SettingsDigest: "d1", Settings: &pb.SettingsValue{
			PollIntervalMs: 30_000, Environments: []*pb.EnvironmentValue{
				{Name: "development", Branch: "main", Policy: &pb.PolicyValue{Canonical: []byte("open")}},
				{Name: "production", Branch: "main", Policy: approve},
			}},
	}}})
	n.Lead(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{
		NodeId: "n1", Incarnation: "i1", Voter: true, Version: "v1", RaftAddress: "127.0.0.1:7701",
		GrpcAddress: "127.0.0.1:7700", HttpAddress: "127.0.0.1:5000", GossipAddress: "127.0.0.1:7702",
	}}})
	return n
}

// Store is the node's state.
func (n *Node) Store() *fsm.Store { return n.store }

// Apply executes a command as the next log entry.
func (n *Node) Apply(h fsm.Header, payload *pb.Payload) fsm.Result {
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

// Lead executes a decision of the leader, which must not be refused.
func (n *Node) Lead(payload *pb.Payload) fsm.Result {
	n.t.Helper()
	result := n.Apply(fsm.Header{Term: 1}, payload)
	if err := result.Err(); err != nil {
		n.t.Fatalf("%T: %v", payload.GetCommand(), err)
	}
	return result
}

// Call executes a change as the caller grace, which must not be refused.
func (n *Node) Call(payload *pb.Payload) fsm.Result {
	n.t.Helper()
	result := n.Apply(fsm.Header{Caller: &pb.Caller{Identity: "grace", Authentication: "none"}}, payload)
	if err := result.Err(); err != nil {
		n.t.Fatalf("%T: %v", payload.GetCommand(), err)
	}
	return result
}

// Environment returns one environment.
func (n *Node) Environment(name string) *fsm.Environment {
	n.t.Helper()
	e := n.store.State().Environment(name)
	if e == nil {
		n.t.Fatalf("no environment %s", name)
	}
	return e
}

// Advance moves the clock, so that every deployment has its own id.
func (n *Node) Advance(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

// Commit is 40 digits that begin with a word.
func Commit(word string) string {
	return (fmt.Sprintf("%x", word) + strings.Repeat("0", 40))[:40]
}

// Create records the content of a commit and returns the deployment's id.
func (n *Node) Create(environment, word string) string {
	n.t.Helper()
	n.Advance(time.Second)
	raw, err := bundle.Encode([]bundle.File{{Path: "environments/" + environment + "/metadata.json", Content: []byte(word)}})
	if err != nil {
		n.t.Fatal(err)
	}
	digest := bundle.Digest(raw)
	n.Lead(&pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
		UploadId: digest[:8], Digest: digest, Total: 1, RawSize: int64(len(raw)), Data: bundle.Compress(raw),
	}}})
	return n.Lead(&pb.Payload{Command: &pb.Payload_CreateDeployment{CreateDeployment: &pb.CreateDeployment{
		Environment: environment, ExpectedSequence: n.Environment(environment).Sequence,
		IdStem: environment + n.now.Format("-20060102-150405"), Commit: Commit(word),
		Digest: digest, Branch: "main", Author: "Ada", AuthorEmail: "ada@example.com", Message: "add " + word, CommittedAtMs: n.now.Add(-5 * time.Minute).UnixMilli(),
		Contributors: []*pb.ContributorValue{{Name: "Ada", Email: "ada@example.com", Role: "author"}},
		Risk:         pb.RiskValue_RISK_VALUE_LOW, EstimatedMs: 1500,
		Plan: []byte(`{"environment":"` + environment + `","risk":"High","added":[{"kind":"Layer","id":"` + word + `","service":"gis","file":"metadata.json"}],
			"modified":[{"kind":"Layer","id":"cities","fields":["srid"],"file":"metadata.json","breaking":true}],
			"breaking":[{"kind":"Layer","id":"cities","reason":"srid changed"}]}`),
	}}}).DeploymentID
}

// Stage begins a deployment, or goes on with a rollback, and lets the only node stage it.
func (n *Node) Stage(environment, id string) {
	n.t.Helper()
	n.Lead(&pb.Payload{Command: &pb.Payload_BeginStaging{BeginStaging: &pb.BeginStaging{
		Environment: environment, ExpectedSequence: n.Environment(environment).Sequence, DeploymentId: id,
		Participants: []*pb.ParticipantValue{{NodeId: "n1", Incarnation: "i1"}}, Voters: []string{"n1"},
	}}})
	n.Lead(&pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: &pb.RecordStaging{
		Environment: environment, ExpectedSequence: n.Environment(environment).Sequence,
		Operation: n.Environment(environment).Operation.ID, Answers: n.yes(),
	}}})
}

// Finish activates what is staged and lets the only node verify it.
func (n *Node) Finish(environment string) {
	n.t.Helper()
	n.Lead(&pb.Payload{Command: &pb.Payload_Activate{Activate: &pb.Activate{
		Environment: environment, ExpectedSequence: n.Environment(environment).Sequence,
		Operation: n.Environment(environment).Operation.ID, Voters: []string{"n1"},
	}}})
	n.Lead(&pb.Payload{Command: &pb.Payload_FinishDeployment{FinishDeployment: &pb.FinishDeployment{
		Environment: environment, ExpectedSequence: n.Environment(environment).Sequence,
		Operation: n.Environment(environment).Operation.ID, Answers: n.yes(),
	}}})
}

func (n *Node) yes() []*pb.AnswerValue {
	return []*pb.AnswerValue{{NodeId: "n1", Incarnation: "i1", Accepted: true}}
}

// Deploy takes a commit of development all the way.
func (n *Node) Deploy(word string) string {
	n.t.Helper()
	id := n.Create("development", word)
	n.Stage("development", id)
	n.Finish("development")
	return id
}
