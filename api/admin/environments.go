package admin

import (
	"context"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// environments is the EnvironmentService.
type environments struct {
	pb.UnimplementedEnvironmentServiceServer
	*core
}

// ListEnvironments returns all environments of the settings, by name.
func (s *environments) ListEnvironments(ctx context.Context, r *pb.ListEnvironmentsRequest) (*pb.ListEnvironmentsResponse, error) {
	visible, err := s.mayRead(ctx, "")
	if err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	answer := &pb.ListEnvironmentsResponse{AppliedIndex: state.Index(), Freeze: pauseMessage(state.Meta().Freeze)}
	for e := range state.Environments() {
		if !e.Retired && visible(e.Name) {
			answer.Environments = append(answer.Environments, environmentMessage(state, e))
		}
	}
	return answer, nil
}

// GetEnvironment returns one environment, also one that the settings name no longer.
func (s *environments) GetEnvironment(ctx context.Context, r *pb.GetEnvironmentRequest) (*pb.GetEnvironmentResponse, error) {
	var c check
	c.name("name", r.GetName())
	if err := c.err(); err != nil {
		return nil, err
	}
	if _, err := s.mayRead(ctx, r.GetName()); err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	e, err := findEnvironment(state, r.GetName())
	if err != nil {
		return nil, err
	}
	answer := &pb.GetEnvironmentResponse{
		Environment: environmentMessage(state, e), AppliedIndex: state.Index(), Freeze: pauseMessage(state.Meta().Freeze),
	}
	if r.GetIncludeConfiguration() {
		answer.Configuration = s.configuration(state, e)
	}
	return answer, nil
}

// ListActivations returns what an environment served, the newest first.
func (s *environments) ListActivations(ctx context.Context, r *pb.ListActivationsRequest) (*pb.ListActivationsResponse, error) {
	var c check
	c.name("environment", r.GetEnvironment())
	if err := c.err(); err != nil {
		return nil, err
	}
	if _, err := s.mayRead(ctx, r.GetEnvironment()); err != nil {
		return nil, err
	}
	before, err := position(r.GetPageToken(), ^uint64(0), "activations", r.GetEnvironment())
	if err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	if _, err := findEnvironment(state, r.GetEnvironment()); err != nil {
		return nil, err
	}
	all := state.ActivationsBefore(r.GetEnvironment(), before)
	messages, last, more := page(all, pageSize(r.GetPageSize()), activationMessage)
	answer := &pb.ListActivationsResponse{Activations: messages, AppliedIndex: state.Index()}
	if more {
		answer.NextPageToken = pageToken(last.Index, "activations", r.GetEnvironment())
	}
	return answer, nil
}
