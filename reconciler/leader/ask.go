package leader

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/tracing"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// askTimeout bounds one question; the operation's deadline bounds them all.
const askTimeout = 20 * time.Second

// maxSkew is how far this clock may be from the voters' median.
const maxSkew = 5 * time.Second

func (q Question) key() string {
	return fmt.Sprintf("ask/%s/%d/%s/%t", q.Environment, q.Operation, q.Node, q.Verify)
}

// Ask is a question as it goes to a node: one of the two is set.
type Ask struct {
	Stage  *pb.StageRequest
	Verify *pb.VerifyRequest
}

// operationOf is what a question is about; nil if that is over.
func operationOf(state *fsm.State, q Question) *fsm.Operation {
	env := state.Environment(q.Environment)
	if env == nil || env.Operation == nil || env.Operation.ID != q.Operation {
		return nil
	}
	return env.Operation
}

// Ask is how a question is put in a state; false if it is over.
func (q Question) Ask(state *fsm.State) (Ask, bool) {
	op := operationOf(state, q)
	switch {
	case op == nil:
		return Ask{}, false
	case q.Verify:
		return Ask{Verify: &pb.VerifyRequest{
			Environment: q.Environment, ActivationIndex: op.ActivationIndex, Digest: op.Digest, Index: state.Index(),
		}}, true
	default:
		return Ask{Stage: &pb.StageRequest{
			Environment: q.Environment, DeploymentId: op.TargetID, Digest: op.Digest, Operation: op.ID, Index: state.Index(),
		}}, true
	}
}

// Awaited reports whether a decision leads to questions that nodes answer once they know of it: to stage, and to
// verify what was activated.
func Awaited(decision *pb.Payload) bool {
	switch decision.GetCommand().(type) {
	case *pb.Payload_BeginStaging, *pb.Payload_Activate:
		return true
	default:
		return false
	}
}

// Staged is what a node says about staging.
func Staged(r *pb.StageResponse) Answer {
	return Answer{Incarnation: r.GetIncarnation(), Accepted: r.GetAccepted(), Problems: r.GetProblems(), Services: r.GetServices()}
}

// Verified is what a node says about what it serves; false if it serves something else as yet.
func Verified(r *pb.VerifyResponse) (Answer, bool) {
	a := Answer{Incarnation: r.GetIncarnation(), Accepted: !r.GetFailed(), Problems: r.GetProblems()}
	return a, r.GetServed() || r.GetFailed()
}

// Counts reports whether an answer is of the data directory that the state knows the node by. One of another
// directory, which is not on record yet, is no answer: the question would be asked again at once.
func (q Question) Counts(state *fsm.State, a Answer) bool {
	incarnation := ""
	if n := state.Node(q.Node); n != nil {
		incarnation = n.Incarnation
	}
	return a.Incarnation == incarnation
}

// question asks a node. No answer is not a no: it is asked again until the deadline.
func (t *tenure) question(ctx context.Context, q Question) func() {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := t.ask(ctx, q)
	if err == nil && !q.Counts(t.Store.State(), answer) {
		err = errUnanswered
	}
	if err != nil {
		t.Logger.DebugContext(ctx, msgNodeSilent, "node", q.Node, "environment", q.Environment, "error", err)
		return nil
	}
	return func() { t.desk.Answered(q, answer) }
}

func (t *tenure) ask(ctx context.Context, q Question) (_ Answer, err error) {
	state := t.Store.State()
	ask, ok := q.Ask(state)
	if !ok {
		return Answer{}, errUnanswered
	}
	ctx, span := t.askSpan(ctx, state, q)
	defer func() { tracing.End(span, err) }()
	node, err := t.Nodes.Node(q.Node)
	if err != nil {
		return Answer{}, err
	}
	if ask.Verify != nil {
		r, err := node.Verify(ctx, ask.Verify)
		if err != nil {
			return Answer{}, err
		}
		answer, ok := Verified(r)
		if !ok {
			return Answer{}, errUnanswered
		}
		return answer, nil
	}
	r, err := node.Stage(ctx, ask.Stage)
	if err != nil {
		return Answer{}, err
	}
	return Staged(r), nil
}

// watch keeps one goroutine for each member that asks for its status.
func (t *tenure) watch(ctx context.Context, members []string) {
	for id, stop := range t.watched {
		if !slices.Contains(members, id) {
			stop()
			delete(t.watched, id)
		}
	}
	for _, id := range members {
		if t.watched[id] != nil {
			continue
		}
		watchCtx, stop := context.WithCancel(ctx)
		t.watched[id] = stop
		t.workers.Go(func() { t.watchNode(watchCtx, id) })
	}
}

func (t *tenure) watchNode(ctx context.Context, id string) {
	for {
		if status, err := t.status(ctx, id); err == nil {
			t.post(ctx, func() { t.desk.Heard(id, status, t.Now().UnixMilli()) })
		}
		if !pause(ctx, statusInterval) {
			return
		}
	}
}

func (t *tenure) status(ctx context.Context, id string) (*pb.GetNodeStatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, statusInterval)
	defer cancel()
	node, err := t.Nodes.Node(id)
	if err != nil {
		return nil, err
	}
	known := ""
	if settings := t.Store.State().Settings(); settings != nil {
		known = settings.FileDigest
	}
	return node.GetNodeStatus(ctx, &pb.GetNodeStatusRequest{SettingsDigest: known})
}
