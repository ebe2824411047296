//go:build unix

package clients

import (
	"context"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// commit changes an environment in the repository, and asks for a poll more often than not.
func (w *worker) commit(ctx context.Context) error {
	environment := w.environment()
	call := history.Call{Client: w.number, Kind: history.Commit, Environment: environment, Called: time.Since(w.Begun), Outcome: history.OK}
	call.Commit = w.Repository.Commit(environment, w.random)
	call.Returned = time.Since(w.Begun)
	w.Calls.Write(call)
	if w.random.IntN(3) > 0 {
		bounded, cancel := context.WithTimeout(ctx, callWithin)
		defer cancel()
		// What comes of it does not matter: the next poll finds the commit too.
		_, _ = w.all.Environments().SyncEnvironment(bounded, &pb.SyncEnvironmentRequest{Environment: environment})
	}
	return nil
}

func (w *worker) approve(ctx context.Context) error {
	d := w.awaiting(ctx)
	if d == nil {
		return nil
	}
	call := w.begin(history.Approve, d.GetEnvironment())
	call.Deployment = d.GetId()
	w.change(ctx, call, func(ctx context.Context) (uint64, error) {
		answer, err := w.all.Deployments().ApproveDeployment(ctx, &pb.ApproveDeploymentRequest{
			RequestId: call.RequestID, Id: d.GetId(), Approver: w.name, ExpectedCommit: d.GetCommit(), ExpectedDigest: d.GetDigest(),
		})
		return answer.GetAppliedIndex(), err
	})
	return nil
}

func (w *worker) reject(ctx context.Context) error {
	d := w.awaiting(ctx)
	if d == nil {
		return nil
	}
	call := w.begin(history.Reject, d.GetEnvironment())
	call.Deployment, call.Reason = d.GetId(), "not today"
	w.change(ctx, call, func(ctx context.Context) (uint64, error) {
		answer, err := w.all.Deployments().RejectDeployment(ctx, &pb.RejectDeploymentRequest{
			RequestId: call.RequestID, Id: d.GetId(), Approver: w.name, Reason: call.Reason,
		})
		return answer.GetAppliedIndex(), err
	})
	return nil
}

func (w *worker) rollback(ctx context.Context) error {
	call := w.begin(history.Rollback, w.environment())
	call.Reason = "rolled back with " + call.RequestID
	w.change(ctx, call, func(ctx context.Context) (uint64, error) {
		answer, err := w.all.Deployments().RollbackDeployment(ctx, &pb.RollbackDeploymentRequest{
			RequestId: call.RequestID, Environment: call.Environment, Actor: w.name, Reason: call.Reason,
		})
		return answer.GetAppliedIndex(), err
	})
	return nil
}

// steer pauses an environment, or resumes what it paused. Each pause has a reason of its own, which reads show.
func (w *worker) steer(ctx context.Context) error {
	if w.paused != "" {
		call := w.begin(history.Resume, w.paused)
		w.change(ctx, call, func(ctx context.Context) (uint64, error) {
			answer, err := w.all.Environments().ResumeEnvironment(ctx, &pb.ResumeEnvironmentRequest{
				RequestId: call.RequestID, Environment: call.Environment, Actor: w.name,
			})
			return answer.GetAppliedIndex(), err
		})
		w.paused = ""
		return nil
	}
	call := w.begin(history.Pause, w.environment())
	call.Reason = "paused with " + call.RequestID
	w.change(ctx, call, func(ctx context.Context) (uint64, error) {
		answer, err := w.all.Environments().PauseEnvironment(ctx, &pb.PauseEnvironmentRequest{
			RequestId: call.RequestID, Environment: call.Environment, Actor: w.name, Reason: call.Reason,
		})
		return answer.GetAppliedIndex(), err
	})
	w.paused = call.Environment
	return nil
}

// mostReads is how many questions of one reader wait for their answers at once.
const mostReads = 40

// read asks one node, whichever it is, for something current: an answer has to be. The reader goes on meanwhile, so that
// many questions, asked at different times, wait at a leader that stands still, and are there when it goes on.
func (w *worker) read(ctx context.Context) error {
	i := w.random.IntN(len(w.single))
	call := history.Call{Client: w.number, Kind: history.ReadEnvironment, Environment: w.environment(), Node: w.Nodes[i].ID}
	if id := w.known.any(w.random); id != "" && w.random.IntN(3) == 0 {
		call.Kind, call.Deployment, call.Environment = history.ReadDeployment, id, ""
	}
	call.Called = time.Since(w.Begun)
	w.reads.TryGo(func() error { // where enough of them wait, not one more is asked
		w.answered(ctx, i, call)
		return nil
	})
	return nil
}

// answered waits for what a node says, and notes it.
func (w *worker) answered(ctx context.Context, i int, call history.Call) {
	bounded, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	err := w.look(bounded, i, &call)
	call.Returned = time.Since(w.Begun)
	call.Outcome = history.OK
	if err != nil {
		call.Outcome, call.Error = history.NotExecuted, err.Error()
	}
	w.Calls.Write(call)
}

func (w *worker) look(ctx context.Context, i int, call *history.Call) error {
	if call.Kind == history.ReadEnvironment {
		answer, err := w.single[i].Environments().GetEnvironment(ctx, &pb.GetEnvironmentRequest{Name: call.Environment})
		e := answer.GetEnvironment()
		call.AppliedIndex = answer.GetAppliedIndex()
		call.Seen = &history.Seen{
			Sequence: e.GetSequence(), Activation: e.GetActivationIndex(), Digest: e.GetActiveDigest(), Pause: e.GetPause().GetReason(),
		}
		return err
	}
	answer, err := w.single[i].Deployments().GetDeployment(ctx, &pb.GetDeploymentRequest{Id: call.Deployment})
	d := answer.GetDeployment()
	call.AppliedIndex, call.Environment = answer.GetAppliedIndex(), d.GetEnvironment()
	call.Seen = &history.Seen{State: d.GetState().String(), Steps: len(d.GetStateHistory())}
	for _, step := range d.GetStateHistory() {
		if step.GetTo() == pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL {
			call.Seen.Rounds++
		}
	}
	for _, a := range d.GetApprovals() {
		call.Seen.Approvals = append(call.Seen.Approvals, a.GetApprover())
	}
	return err
}
