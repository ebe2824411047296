package admin

import (
	"fmt"
	"slices"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// WatchDeployments sends what happens to deployments, in order and without a
// gap. The audit records are what it reads: they remember every step, however
// far the client is behind. Each message shows the deployment as it is when the
// message is sent, which may be later than its event.
func (s *deployments) WatchDeployments(r *pb.WatchDeploymentsRequest, out grpc.ServerStreamingServer[pb.WatchDeploymentsResponse]) error {
	var c check
	c.optionalName("id", r.GetId())
	c.optionalName("environment", r.GetEnvironment())
	if err := c.err(); err != nil {
		return err
	}
	ctx := out.Context()
	watched := r.GetEnvironment()
	if r.GetId() != "" {
		d, err := s.deployment(ctx, r.GetId())
		if err != nil {
			return err
		}
		watched = d.Environment
	}
	if err := s.permit(ctx, watched, Viewer); err != nil {
		return err
	}
	if r.GetEnvironment() != "" {
		if err := s.hasEnvironment(ctx, r.GetEnvironment()); err != nil {
			return err
		}
	}
	if err := s.reach(ctx, r.GetAfterIndex()); err != nil {
		return err
	}
	w := &deploymentWatch{id: r.GetId(), environment: r.GetEnvironment(), send: out.Send}
	if err := w.begin(s.Store.State(), r.GetAfterIndex()); err != nil {
		return err
	}
	return s.follow(ctx, w.advance)
}

// deploymentWatch is one client's place in the history.
type deploymentWatch struct {
	id, environment string
	send            func(*pb.WatchDeploymentsResponse) error
	// next is the sequence of the first audit record that was not looked at.
	next uint64
}

// begin finds the place after an index; 0 is the present, which is sent.
func (w *deploymentWatch) begin(state *fsm.State, after uint64) error {
	w.next = state.Meta().AuditSequence + 1
	if after == 0 {
		return w.present(state)
	}
	for record := range state.AuditBack(^uint64(0)) {
		if record.Index <= after {
			return nil
		}
		w.next = record.Sequence
	}
	// Every record that is kept is newer: nothing is missing only if none was cut off.
	if w.next > 1 {
		return tooOld(after)
	}
	return nil
}

// present sends what is watched as it is now: the one deployment, or of each
// environment what waits and what moved last. Only the last message has an index
// to resume with: who lost the rest gets all of it again.
func (w *deploymentWatch) present(state *fsm.State) error {
	ids := w.current(state)
	for i, id := range ids {
		m := &pb.WatchDeploymentsResponse{Deployment: deploymentMessage(state, state.Deployment(id))}
		if i == len(ids)-1 {
			m.Index = state.Index()
		}
		if err := w.send(m); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return w.send(&pb.WatchDeploymentsResponse{Index: state.Index()})
	}
	return nil
}

// current lists the deployments that the present consists of, by environment and age.
func (w *deploymentWatch) current(state *fsm.State) []string {
	if w.id != "" {
		return []string{w.id}
	}
	var ids []string
	for e := range state.Environments() {
		if w.environment != "" && e.Name != w.environment {
			continue
		}
		if e.CurrentID != "" && !slices.Contains(e.Waiting, e.CurrentID) {
			ids = append(ids, e.CurrentID)
		}
		ids = append(ids, e.Waiting...)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return state.Deployment(id) == nil })
}

// advance sends the events that a state remembers beyond the ones sent.
func (w *deploymentWatch) advance(state *fsm.State) error {
	if first := state.FirstAudit(); first > w.next {
		return tooOld(w.next)
	}
	var held *pb.WatchDeploymentsResponse
	for record := range state.Audit(w.next) {
		w.next = record.Sequence + 1
		d := w.concerns(state, record)
		if d == nil {
			continue
		}
		// All records of one log entry share its index. Only the last of them may
		// be resumed with; after any other the entry's records come again.
		if held != nil {
			if held.Index == record.Index {
				held.Index--
			}
			if err := w.send(held); err != nil {
				return err
			}
		}
		held = &pb.WatchDeploymentsResponse{
			Index: record.Index, Deployment: deploymentMessage(state, d), Event: auditMessage(record),
		}
	}
	if held == nil {
		return nil
	}
	return w.send(held)
}

// concerns returns the deployment that a record is about, if it is watched.
func (w *deploymentWatch) concerns(state *fsm.State, record *fsm.AuditRecord) *fsm.Deployment {
	if w.id != "" && record.Object != w.id || w.environment != "" && record.Environment != w.environment {
		return nil
	}
	return state.Deployment(record.Object)
}

func tooOld(from uint64) error {
	return &problem{
		failure: OutOfRange, reason: "token_too_old",
		message: fmt.Sprintf("what happened after %d is not kept any more: begin again without an index", from),
	}
}
