package policy

import "github.com/honua-io/honua-gitops/reconciler/catalog"

// Why a deployment needs approval.
const (
	ReasonRequired      = "requires_approval" // the policy asks for it always
	ReasonRisk          = "risk"              // the risk reaches the policy's threshold
	ReasonForcePush     = "force_push"        // the branch was rewritten
	ReasonAfterRollback = "after_rollback"    // the configuration before was rolled away from
)

// Facts are what the gate depends on.
type Facts struct {
	Risk          catalog.Risk // of the plan; one that is no level counts as Critical
	Rewritten     bool         // the deployed commit is no ancestor of the candidate
	AfterRollback bool         // the last activation was a rollback
}

// Gate is what a deployment needs before it may be applied.
type Gate struct {
	NeedsApproval bool
	Reasons       []string // the Reason constants that apply, in their order; nil if none
	Approvers     int      // distinct approvers needed; 0 if none
}

// Evaluate says whether the facts need approval under the policy. A breaking change gates through its risk alone.
func Evaluate(p Policy, facts Facts) Gate {
	risk := facts.Risk
	if risk < catalog.RiskLow || risk > catalog.RiskCritical {
		risk = catalog.RiskCritical
	}
	var gate Gate
	because := func(reason string, applies bool) {
		if applies {
			gate.Reasons = append(gate.Reasons, reason)
		}
	}
	because(ReasonRequired, p.RequiresApproval)
	because(ReasonRisk, risk >= p.MinimumRiskLevelForApproval)
	because(ReasonForcePush, facts.Rewritten && p.ForcePush != Allow)
	because(ReasonAfterRollback, facts.AfterRollback && p.AfterRollback != Auto)
	if len(gate.Reasons) > 0 {
		gate.NeedsApproval, gate.Approvers = true, max(1, p.MinimumApprovers)
	}
	return gate
}
