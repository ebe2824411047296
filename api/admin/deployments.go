package admin

import (
	"context"
	"iter"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// deployments is the DeploymentService.
type deployments struct {
	pb.UnimplementedDeploymentServiceServer
	*core
}

// ListDeployments returns the newest first.
func (s *deployments) ListDeployments(ctx context.Context, r *pb.ListDeploymentsRequest) (*pb.ListDeploymentsResponse, error) {
	var c check
	c.optionalName("environment", r.GetEnvironment())
	if err := c.err(); err != nil {
		return nil, err
	}
	visible, err := s.mayRead(ctx, r.GetEnvironment())
	if err != nil {
		return nil, err
	}
	before, err := position(r.GetPageToken(), ^uint64(0), "deployments", r.GetEnvironment())
	if err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	all, err := deploymentsBefore(state, r.GetEnvironment(), before)
	if err != nil {
		return nil, err
	}
	all = visibleOnly(all, func(d *fsm.Deployment) string { return d.Environment }, visible)
	messages, last, more := page(all, pageSize(r.GetPageSize()), func(d *fsm.Deployment) *pb.Deployment {
		return deploymentMessage(state, d)
	})
	answer := &pb.ListDeploymentsResponse{Deployments: messages, AppliedIndex: state.Index()}
	if more {
		answer.NextPageToken = pageToken(last.Ordinal, "deployments", r.GetEnvironment())
	}
	return answer, nil
}

func deploymentsBefore(state *fsm.State, environment string, ordinal uint64) (iter.Seq[*fsm.Deployment], error) {
	if environment == "" {
		return newestDeployments(state, ordinal), nil
	}
	if _, err := findEnvironment(state, environment); err != nil {
		return nil, err
	}
	return state.DeploymentsBefore(environment, ordinal), nil
}

// GetDeployment returns one deployment.
func (s *deployments) GetDeployment(ctx context.Context, r *pb.GetDeploymentRequest) (*pb.GetDeploymentResponse, error) {
	var c check
	c.name("id", r.GetId())
	if err := c.err(); err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	d, err := findDeployment(state, r.GetId())
	if err != nil {
		return nil, err
	}
	if _, err := s.mayRead(ctx, d.Environment); err != nil {
		return nil, err
	}
	return &pb.GetDeploymentResponse{Deployment: deploymentMessage(state, d), AppliedIndex: state.Index()}, nil
}

// PlanDeployment returns the plan of a deployment; of an environment, that of
// the newest one that waits, else of Git's head against what is deployed.
func (s *deployments) PlanDeployment(ctx context.Context, r *pb.PlanDeploymentRequest) (*pb.PlanDeploymentResponse, error) {
	var c check
	if r.GetId() == "" {
		c.name("environment", r.GetEnvironment())
	} else {
		c.name("id", r.GetId())
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	d, err := planned(state, r.GetId(), r.GetEnvironment())
	if err != nil {
		return nil, err
	}
	environment := r.GetEnvironment()
	if d != nil {
		environment = d.Environment
	}
	if _, err := s.mayRead(ctx, environment); err != nil {
		return nil, err
	}
	if d == nil {
		return &pb.PlanDeploymentResponse{Plan: nothingPlanned(state.Environment(r.GetEnvironment())), AppliedIndex: state.Index()}, nil
	}
	plan, err := planMessage(d)
	if err != nil {
		return nil, s.readFailed(err)
	}
	return &pb.PlanDeploymentResponse{
		Plan: plan, Deployment: deploymentMessage(state, d), AppliedIndex: state.Index(),
	}, nil
}
