package policy

import (
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// File is where a repository keeps its policies.
const File = ".gitops/deployment-policy.yaml"

// What a policy says of special deployments.
const (
	Approve = "approve" // needs approval
	Auto    = "auto"    // AfterRollback: needs none because of that
	Allow   = "allow"   // ForcePush: needs none because of that
)

// Policy is what must hold before a configuration is applied to an environment, and what happens if it fails.
// Make one with Default or Resolve; it is immutable then.
type Policy struct {
	RequiresApproval         bool          // every deployment needs approval
	MinimumApprovers         int           // distinct approvers, 1 to 100
	ForbidAuthorApproval     bool          // contributors and the initiator don't count
	ApprovalTimeout          time.Duration // how long approval is waited for; 1 s to 365 days
	Window                   Window        // when deployments may begin
	AutoRollback             bool          // failed verification activates the last good configuration again
	RollbackRequiresApproval bool
	AfterRollback            string // Approve or Auto: the first new configuration after a rollback
	ForcePush                string // Approve or Allow: a rewritten branch
	// MinimumRiskLevelForApproval is the risk from which on a deployment needs approval, whatever RequiresApproval says.
	MinimumRiskLevelForApproval catalog.Risk
	HealthCheckTimeout          time.Duration // how long verification may take; 1 s to 24 hours
	StagingTimeout              time.Duration // how long staging may take; 1 s to 24 hours
}

// Default is the policy of an environment that has none: its name decides, and every other name is as staging.
//
//	              approval  timeout   rollback  from risk  force push  after rollback
//	production    yes       24 hours  yes       Medium     approve     approve
//	staging       no        4 hours   yes       High       approve     approve
//	development   no        1 hour    no        Critical   allow       auto
//
// All have one approver, no window, and a minute each for staging and verification.
func Default(environment string) Policy {
	p := Policy{
		MinimumApprovers: 1, ApprovalTimeout: 4 * time.Hour, AutoRollback: true,
		AfterRollback: Approve, ForcePush: Approve, MinimumRiskLevelForApproval: catalog.RiskHigh,
		HealthCheckTimeout: time.Minute, StagingTimeout: time.Minute,
	}
	switch environment {
	case "production":
		p.RequiresApproval, p.ApprovalTimeout, p.MinimumRiskLevelForApproval = true, 24*time.Hour, catalog.RiskMedium
	case "development":
		p.ApprovalTimeout, p.AutoRollback, p.MinimumRiskLevelForApproval = time.Hour, false, catalog.RiskCritical
		p.ForcePush, p.AfterRollback = Allow, Auto
	}
	return p
}
