package leader

import (
	"fmt"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// PolicyValue is the replicated form of a policy: the rules that the state
// machine decides by, and the normalised text for what needs a calendar.
func PolicyValue(p policy.Policy) (*pb.PolicyValue, error) {
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
		ApproveAfterRollback:     p.AfterRollback == policy.Approve,
		ApproveRewrite:           p.ForcePush == policy.Approve,
		MinimumRisk:              pb.RiskValue(p.MinimumRiskLevelForApproval),
		HealthCheckTimeoutMs:     p.HealthCheckTimeout.Milliseconds(),
		StagingTimeoutMs:         p.StagingTimeout.Milliseconds(),
		Canonical:                canonical,
	}, nil
}
