package admin

import (
	"context"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// decide executes a change about one deployment and returns the deployment after it.
func (s *deployments) decide(ctx context.Context, id string, ch change) (*pb.Deployment, uint64, error) {
	d, err := s.deployment(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	ch.environment = d.Environment
	_, state, err := s.execute(ctx, ch)
	if err != nil {
		return nil, 0, err
	}
	return deploymentMessage(state, state.Deployment(id)), state.Index(), nil
}

// ApproveDeployment counts one approver, or overrides what is missing.
func (s *deployments) ApproveDeployment(ctx context.Context, r *pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("id", r.GetId())
	c.optionalName("approver", r.GetApprover())
	c.text("comment", r.GetComment())
	c.optionalName("expected_commit", r.GetExpectedCommit())
	c.optionalName("expected_digest", r.GetExpectedDigest())
	c.optionalName("expected_policy_digest", r.GetExpectedPolicyDigest())
	least := overriding(&c, r.GetOverride(), r.GetReason(), Approver)
	if err := c.err(); err != nil {
		return nil, err
	}
	d, index, err := s.decide(ctx, r.GetId(), change{
		requestID: r.GetRequestId(), actor: r.GetApprover(), least: least,
		payload: &pb.Payload{Command: &pb.Payload_Approve{Approve: &pb.ApproveCommand{
			DeploymentId: r.GetId(), Comment: r.GetComment(), ExpectedCommit: r.GetExpectedCommit(),
			ExpectedDigest: r.GetExpectedDigest(), ExpectedPolicyDigest: r.GetExpectedPolicyDigest(),
			Override: r.GetOverride(), Reason: r.GetReason(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.ApproveDeploymentResponse{Deployment: d, AppliedIndex: index}, nil
}

// RejectDeployment fails a deployment that awaits approval and holds its digest.
func (s *deployments) RejectDeployment(ctx context.Context, r *pb.RejectDeploymentRequest) (*pb.RejectDeploymentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("id", r.GetId())
	c.optionalName("approver", r.GetApprover())
	c.reason(r.GetReason())
	if err := c.err(); err != nil {
		return nil, err
	}
	d, index, err := s.decide(ctx, r.GetId(), change{
		requestID: r.GetRequestId(), actor: r.GetApprover(), least: Approver,
		payload: &pb.Payload{Command: &pb.Payload_Reject{Reject: &pb.RejectCommand{
			DeploymentId: r.GetId(), Reason: r.GetReason(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.RejectDeploymentResponse{Deployment: d, AppliedIndex: index}, nil
}

// CancelDeployment fails a deployment that has not been activated.
func (s *deployments) CancelDeployment(ctx context.Context, r *pb.CancelDeploymentRequest) (*pb.CancelDeploymentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("id", r.GetId())
	c.optionalName("actor", r.GetActor())
	c.reason(r.GetReason())
	if err := c.err(); err != nil {
		return nil, err
	}
	d, index, err := s.decide(ctx, r.GetId(), change{
		requestID: r.GetRequestId(), actor: r.GetActor(), least: Deployer,
		payload: &pb.Payload{Command: &pb.Payload_Cancel{Cancel: &pb.CancelCommand{
			DeploymentId: r.GetId(), Reason: r.GetReason(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.CancelDeploymentResponse{Deployment: d, AppliedIndex: index}, nil
}

// RetryDeployment begins a failed or rolled back deployment again.
func (s *deployments) RetryDeployment(ctx context.Context, r *pb.RetryDeploymentRequest) (*pb.RetryDeploymentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("id", r.GetId())
	c.optionalName("actor", r.GetActor())
	least := overriding(&c, r.GetOverride(), r.GetReason(), Deployer)
	if err := c.err(); err != nil {
		return nil, err
	}
	d, index, err := s.decide(ctx, r.GetId(), change{
		requestID: r.GetRequestId(), actor: r.GetActor(), least: least,
		payload: &pb.Payload{Command: &pb.Payload_Retry{Retry: &pb.RetryCommand{
			DeploymentId: r.GetId(), Override: r.GetOverride(), Reason: r.GetReason(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.RetryDeploymentResponse{Deployment: d, AppliedIndex: index}, nil
}

// overriding checks the reason of a change that may pass what is in its way,
// which is an admin's to do, and returns the role that the change needs.
func overriding(c *check, override bool, reason string, otherwise Role) Role {
	if override {
		c.reason(reason)
	} else {
		c.text("reason", reason)
	}
	return overrideRole(override, otherwise)
}

// RollbackDeployment activates an earlier completed content of an environment again.
func (s *deployments) RollbackDeployment(ctx context.Context, r *pb.RollbackDeploymentRequest) (*pb.RollbackDeploymentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("environment", r.GetEnvironment())
	c.optionalName("to_id", r.GetToId())
	c.optionalName("actor", r.GetActor())
	c.reason(r.GetReason())
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.hasEnvironment(ctx, r.GetEnvironment()); err != nil {
		return nil, err
	}
	if r.GetToId() != "" {
		if _, err := s.deployment(ctx, r.GetToId()); err != nil {
			return nil, err
		}
	}
	result, state, err := s.execute(ctx, change{
		requestID: r.GetRequestId(), actor: r.GetActor(), environment: r.GetEnvironment(), least: Approver,
		payload: &pb.Payload{Command: &pb.Payload_Rollback{Rollback: &pb.RollbackCommand{
			Environment: r.GetEnvironment(), ToDeploymentId: r.GetToId(), Reason: r.GetReason(),
		}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.RollbackDeploymentResponse{
		Deployment:   deploymentMessage(state, state.Deployment(result.DeploymentID)),
		TargetId:     result.Message,
		OperationId:  result.Value,
		AppliedIndex: state.Index(),
	}, nil
}
