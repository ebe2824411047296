package admin

import (
	"cmp"
	"slices"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// WatchEnvironments sends an environment whenever it changed. Changes between
// two messages are merged: the newest state is what counts.
func (s *environments) WatchEnvironments(r *pb.WatchEnvironmentsRequest, out grpc.ServerStreamingServer[pb.WatchEnvironmentsResponse]) error {
	var c check
	c.optionalName("name", r.GetName())
	if err := c.err(); err != nil {
		return err
	}
	ctx := out.Context()
	if err := s.permit(ctx, r.GetName(), Viewer); err != nil {
		return err
	}
	if r.GetName() != "" {
		if err := s.hasEnvironment(ctx, r.GetName()); err != nil {
			return err
		}
	}
	if err := s.reach(ctx, r.GetAfterIndex()); err != nil {
		return err
	}
	w := &environmentWatch{name: r.GetName(), after: r.GetAfterIndex(), send: out.Send}
	return s.follow(ctx, w.advance)
}

// environmentWatch is one client's place.
type environmentWatch struct {
	name  string
	send  func(*pb.WatchEnvironmentsResponse) error
	after uint64
}

// advance sends what changed after the last message, the oldest change first.
func (w *environmentWatch) advance(state *fsm.State) error {
	changed := w.changed(state)
	for i, e := range changed {
		m := &pb.WatchEnvironmentsResponse{
			Index: e.Changed, Environment: environmentMessage(state, e), PollGeneration: e.PollDone,
		}
		// One log entry may change several: only after the last of them may be resumed.
		if i+1 < len(changed) && changed[i+1].Changed == e.Changed {
			m.Index--
		}
		if err := w.send(m); err != nil {
			return err
		}
		w.after = e.Changed
	}
	return nil
}

func (w *environmentWatch) changed(state *fsm.State) []*fsm.Environment {
	var changed []*fsm.Environment
	for e := range state.Environments() {
		if (w.name == "" || e.Name == w.name) && e.Changed > w.after {
			changed = append(changed, e)
		}
	}
	slices.SortStableFunc(changed, func(a, b *fsm.Environment) int { return cmp.Compare(a.Changed, b.Changed) })
	return changed
}
