package fsm

import (
	"crypto/sha256"
	"encoding/hex"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Digest identifies a policy; empty for none.
func (p *Policy) Digest() string {
	if p == nil {
		return ""
	}
	sum := sha256.Sum256(p.Canonical)
	return hex.EncodeToString(sum[:])
}

// PolicyInForce is what gates the next deployment: the policy inside the active
// content, so that a change of it is gated by the one before, else the settings'.
func PolicyInForce(s *State, environment string) *Policy {
	return policyInForce(s.meta.Settings, s.environments.get(environment), environment)
}

func policyInForce(settings *Settings, env *Environment, name string) *Policy {
	if env != nil && env.Active != nil && env.Active.Policy != nil {
		return env.Active.Policy
	}
	if es := settings.Environment(name); es != nil && es.Policy != nil {
		return es.Policy
	}
	return &Policy{RequiresApproval: true, MinimumApprovers: 1, ApproveRewrite: true, ApproveAfterRollback: true}
}

// defaults of what a policy may leave at zero, milliseconds.
const (
	defaultStagingTimeout     = 60_000
	defaultHealthCheckTimeout = 60_000
	defaultApprovalTimeout    = 24 * 60 * 60 * 1000
)

func (p *Policy) stagingTimeout() int64 { return orDefault(p.StagingTimeout, defaultStagingTimeout) }
func (p *Policy) healthCheckTimeout() int64 {
	return orDefault(p.HealthCheckTimeout, defaultHealthCheckTimeout)
}
func (p *Policy) approvalTimeout() int64 { return orDefault(p.ApprovalTimeout, defaultApprovalTimeout) }

func orDefault(value, fallback int64) int64 {
	if value <= 0 {
		return fallback
	}
	return value
}

// Reasons for an approval, as records and metrics spell them.
const (
	ReasonPolicy        = "requires_approval"
	ReasonRisk          = "risk"
	ReasonRewritten     = "force_push"
	ReasonAfterRollback = "after_rollback"
)

// approvalReasons says why a deployment needs approval under a policy: nil if
// it does not. Thresholds gate; nothing else does.
func approvalReasons(p *Policy, d *Deployment, afterRollback bool) []string {
	var reasons []string
	if p.RequiresApproval {
		reasons = append(reasons, ReasonPolicy)
	}
	if p.MinimumRisk != RiskNone && d.Risk.known() >= p.MinimumRisk {
		reasons = append(reasons, ReasonRisk)
	}
	if d.Rewritten && p.ApproveRewrite {
		reasons = append(reasons, ReasonRewritten)
	}
	if afterRollback && p.ApproveAfterRollback {
		reasons = append(reasons, ReasonAfterRollback)
	}
	return reasons
}

// known is the risk, and the highest one for what is no risk: nothing passes a
// gate because nobody judged it.
func (r Risk) known() Risk {
	if r < Low || r > Critical {
		return Critical
	}
	return r
}

func policyOf(m *pb.PolicyValue) *Policy {
	if m == nil {
		return nil
	}
	return &Policy{
		RequiresApproval:         m.GetRequiresApproval(),
		MinimumApprovers:         m.GetMinimumApprovers(),
		ForbidAuthorApproval:     m.GetForbidAuthorApproval(),
		ApprovalTimeout:          m.GetApprovalTimeoutMs(),
		AutoRollback:             m.GetAutoRollback(),
		RollbackRequiresApproval: m.GetRollbackRequiresApproval(),
		ApproveAfterRollback:     m.GetApproveAfterRollback(),
		ApproveRewrite:           m.GetApproveRewrite(),
		MinimumRisk:              Risk(m.GetMinimumRisk()),
		HealthCheckTimeout:       m.GetHealthCheckTimeoutMs(),
		StagingTimeout:           m.GetStagingTimeoutMs(),
		Canonical:                m.GetCanonical(),
	}
}
