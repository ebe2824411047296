package admin

import (
	"context"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// SyncEnvironment asks the leader to poll now. The poll is done when the
// environment's poll generation has reached that of the answer.
func (s *environments) SyncEnvironment(ctx context.Context, r *pb.SyncEnvironmentRequest) (*pb.SyncEnvironmentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("environment", r.GetEnvironment())
	c.optionalName("actor", r.GetActor())
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.hasEnvironment(ctx, r.GetEnvironment()); err != nil {
		return nil, err
	}
	least := Deployer
	if r.GetLiftHold() {
		// It lets back in what somebody rejected, and stands in for an approval of a rewritten branch.
		least = Approver
	}
	result, state, err := s.execute(ctx, change{
		requestID: r.GetRequestId(), actor: r.GetActor(), environment: r.GetEnvironment(), least: least,
		payload: &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{
			Environment: r.GetEnvironment(), LiftHold: r.GetLiftHold(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.SyncEnvironmentResponse{Generation: result.Value, AppliedIndex: state.Index()}, nil
}

// PauseEnvironment keeps new content from being applied, in one environment or all.
func (s *environments) PauseEnvironment(ctx context.Context, r *pb.PauseEnvironmentRequest) (*pb.PauseEnvironmentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.scope(r.GetEnvironment(), r.GetAll())
	c.optionalName("actor", r.GetActor())
	c.reason(r.GetReason())
	until := c.future("until", r.GetUntil(), s.Now())
	if err := c.err(); err != nil {
		return nil, err
	}
	e, index, err := s.steer(ctx, r.GetEnvironment(), change{
		requestID: r.GetRequestId(), actor: r.GetActor(), least: steeringRole(r.GetAll()),
		payload: &pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{
			Environment: r.GetEnvironment(), All: r.GetAll(), Reason: r.GetReason(), UntilMs: until,
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.PauseEnvironmentResponse{Environment: e, AppliedIndex: index}, nil
}

// ResumeEnvironment ends the pause of one environment, or the freeze of all.
func (s *environments) ResumeEnvironment(ctx context.Context, r *pb.ResumeEnvironmentRequest) (*pb.ResumeEnvironmentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.scope(r.GetEnvironment(), r.GetAll())
	c.optionalName("actor", r.GetActor())
	c.text("reason", r.GetReason())
	if err := c.err(); err != nil {
		return nil, err
	}
	e, index, err := s.steer(ctx, r.GetEnvironment(), change{
		requestID: r.GetRequestId(), actor: r.GetActor(), least: steeringRole(r.GetAll()),
		payload: &pb.Payload{Command: &pb.Payload_Resume{Resume: &pb.ResumeCommand{
			Environment: r.GetEnvironment(), All: r.GetAll(), Reason: r.GetReason(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.ResumeEnvironmentResponse{Environment: e, AppliedIndex: index}, nil
}

// steeringRole: what concerns every environment is an admin's to decide.
func steeringRole(all bool) Role {
	if all {
		return Admin
	}
	return Deployer
}

// steer executes a change about one environment, or about all if it is empty,
// and returns the one environment after it.
func (s *environments) steer(ctx context.Context, name string, ch change) (*pb.Environment, uint64, error) {
	if name != "" {
		if err := s.hasEnvironment(ctx, name); err != nil {
			return nil, 0, err
		}
		ch.environment = name
	}
	_, state, err := s.execute(ctx, ch)
	if err != nil {
		return nil, 0, err
	}
	return namedEnvironment(state, name), state.Index(), nil
}

func namedEnvironment(state *fsm.State, name string) *pb.Environment {
	if e := state.Environment(name); e != nil {
		return environmentMessage(state, e)
	}
	return nil
}
