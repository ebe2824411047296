package policy

import (
	"fmt"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Value is the replicated form of a policy: the rules that the state machine
// decides by, and the normalised text for what needs a calendar. It fails only
// where Normalise does.
func (p Policy) Value() (*pb.PolicyValue, error) {
	canonical, err := p.Normalise()
	if err != nil {
		return nil, fmt.Errorf("normalise the policy: %w", err)
	}
	return &pb.PolicyValue{
		RequiresApproval:         p.RequiresApproval,
		MinimumApprovers:         uint32(p.MinimumApprovers),
		ForbidAuthorApproval:     p.ForbidAuthorApproval,
		ApprovalTimeoutMs:        p.ApprovalTimeout.Milliseconds(),
		AutoRollback:             p.AutoRollback,
		RollbackRequiresApproval: p.RollbackRequiresApproval,
		ApproveAfterRollback:     p.AfterRollback == Approve,
		ApproveRewrite:           p.ForcePush == Approve,
		MinimumRisk:              pb.RiskValue(p.MinimumRiskLevelForApproval),
		HealthCheckTimeoutMs:     p.HealthCheckTimeout.Milliseconds(),
		StagingTimeoutMs:         p.StagingTimeout.Milliseconds(),
		Canonical:                canonical,
	}, nil
}
