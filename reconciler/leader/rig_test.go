package leader

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// rig is what one look of the leader sees: a replicated state that commands
// were really applied to, and the leader's own inputs.
type rig struct {
	t     testing.TB
	store *fsm.Store
	in    Inputs
}

const start = int64(1_700_000_000_000) // a Tuesday, 22:13 UTC

func newRig(t testing.TB, policies ...*pb.PolicyValue) *rig {
	t.Helper()
	r := &rig{t: t, store: fsm.NewStore(fsm.New()), in: Inputs{
		Now: start, ClockTrusted: true, Voters: []string{"a", "b", "c"}, Members: []string{"a", "b", "c"},
		Peers: map[string]Peer{}, Polls: map[string]Poll{}, Candidates: map[string]*Candidate{}, Answers: map[Question]Answer{},
	}}
	plain := &pb.PolicyValue{AutoRollback: true}
	if len(policies) == 1 {
		plain = policies[0]
	}
	r.apply(&pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{
		ClusterId: "id", SettingsDigest: "file-1", Settings: &pb.SettingsValue{
			PollIntervalMs: 30_000, Environments: []*pb.EnvironmentValue{{Name: "prod", Branch: "main", Policy: plain}},
		},
	}}})
	for _, id := range r.in.Voters {
		r.apply(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{NodeId: id, Incarnation: id + "1", Voter: true}}})
	}
	return r
}

// apply puts a command into the log, in the name of the leader of term 1.
func (r *rig) apply(payload *pb.Payload) fsm.Result {
	r.t.Helper()
	data, err := fsm.Encode(fsm.Header{Proposer: "a", Term: 1, ProposedAt: r.in.Now}, payload)
	if err != nil {
		r.t.Fatal(err)
	}
	result, err := r.store.Apply(fsm.Entry{Index: r.store.State().Index() + 1, Term: 1, Data: data})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := result.Err(); err != nil {
		r.t.Fatalf("a decision was refused: %v", err)
	}
	return result
}

func (r *rig) env() *fsm.Environment { return r.store.State().Environment("prod") }

// plan looks, and checks that looking again decides the same.
func (r *rig) plan() Decisions {
	r.t.Helper()
	r.in.State = r.store.State()
	d := Plan(r.in)
	if again := r.show(Plan(r.in)); again != r.show(d) {
		r.t.Fatalf("equal inputs, two decisions:\n%s\n%s", r.show(d), again)
	}
	return d
}

// decides fails the test unless a look decides what is given.
func (r *rig) decides(want ...string) {
	r.t.Helper()
	if got := r.show(r.plan()); got != strings.Join(want, "\n") {
		r.t.Fatalf("decided:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// carryOut applies what a look proposes.
func (r *rig) carryOut() {
	r.t.Helper()
	for _, p := range r.plan().Proposals {
		r.apply(p.Payload)
	}
}

// show is one line for each decision; the wake is in milliseconds from now.
func (r *rig) show(d Decisions) string {
	var lines []string
	for _, p := range d.Proposals {
		lines = append(lines, "propose "+p.Key+" "+showPayload(p.Payload))
	}
	for _, q := range d.Questions {
		word := "stage"
		if q.Verify {
			word = "verify"
		}
		lines = append(lines, "ask "+q.Node+" to "+word)
	}
	slices.Sort(lines)
	for _, e := range d.Uploads {
		lines = append(lines, "upload "+e)
	}
	for _, b := range d.Reread {
		lines = append(lines, "reread "+b)
	}
	if d.Wake != 0 {
		lines = append(lines, fmt.Sprint("wake ", d.Wake-r.in.Now))
	}
	return strings.Join(lines, "\n")
}

func showPayload(p *pb.Payload) string {
	answers := func(values []*pb.AnswerValue, late bool) string {
		text := ""
		for _, a := range values {
			text += fmt.Sprintf(" %s=%t", a.GetNodeId(), a.GetAccepted())
		}
		if late {
			text += " deadline"
		}
		return text
	}
	switch c := p.GetCommand().(type) {
	case *pb.Payload_BeginStaging:
		text := "begin"
		for _, n := range c.BeginStaging.GetParticipants() {
			text += " " + n.GetNodeId()
		}
		return text
	case *pb.Payload_RecordStaging:
		return "staged" + answers(c.RecordStaging.GetAnswers(), c.RecordStaging.GetDeadline())
	case *pb.Payload_Activate:
		return "activate"
	case *pb.Payload_FinishDeployment:
		return "finish" + answers(c.FinishDeployment.GetAnswers(), c.FinishDeployment.GetDeadline())
	case *pb.Payload_CreateDeployment:
		return "create " + c.CreateDeployment.GetCommit() + " " + strings.Join(c.CreateDeployment.GetProblems(), "; ")
	case *pb.Payload_ObservePoll:
		return fmt.Sprintf("poll %s %d findings %s", c.ObservePoll.GetHead(), len(c.ObservePoll.GetFindings()), c.ObservePoll.GetErrorCode())
	case *pb.Payload_ObserveNode:
		return fmt.Sprintf("available=%t", c.ObserveNode.GetAvailable())
	default:
		return strings.TrimPrefix(fmt.Sprintf("%T", p.GetCommand()), "*gitopsv1.Payload_")
	}
}

// candidate is a good commit whose content is a text.
func (r *rig) candidate(commit, text string) *Candidate {
	encoded, err := bundle.Encode([]bundle.File{{Path: "environments/prod/metadata.json", Content: []byte(text)}})
	if err != nil {
		r.t.Fatal(err)
	}
	return &Candidate{
		Environment: "prod", Branch: "main", Commit: commit, BasedOn: activeDigest(r.env()),
		Digest: bundle.Digest(encoded), Encoded: encoded, plan: catalog.Plan{Risk: catalog.RiskLow},
	}
}

// upload puts a candidate's content into the state.
func (r *rig) upload(c *Candidate) {
	r.t.Helper()
	data := bundle.Compress(c.Encoded)
	r.apply(&pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
		UploadId: c.Digest, Digest: c.Digest, Total: 1, RawSize: int64(len(c.Encoded)), Data: data,
	}}})
}

// create uploads and records a commit.
func (r *rig) create(commit, text string) {
	r.t.Helper()
	c := r.candidate(commit, text)
	r.upload(c)
	r.apply(&pb.Payload{Command: &pb.Payload_CreateDeployment{CreateDeployment: c.command(r.env().Sequence, r.in.Now)}})
}

func (r *rig) answer(verify, accepted bool, nodes ...string) {
	for _, n := range nodes {
		r.in.Answers[Question{"prod", r.env().Operation.ID, n, verify}] = Answer{Incarnation: n + "1", Accepted: accepted}
	}
}

func policyOf(t testing.TB, alter func(*policy.Policy)) *pb.PolicyValue {
	t.Helper()
	p := policy.Default("development")
	alter(&p)
	value, err := p.Value()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func mustMarshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
