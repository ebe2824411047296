package config

import (
	"strings"
	"time"
)

// DeploymentPolicy is what the file says about how deployments are gated. Nil
// and empty fields say nothing: then the environment's default holds.
type DeploymentPolicy struct {
	RequiresApproval            *bool
	MinimumApprovers            *int // at least 1
	ForbidAuthorApproval        *bool
	ApprovalTimeout             *time.Duration
	AllowedDays                 []string // English weekday names: "Monday"
	AllowedHours                AllowedHours
	TimeZone                    *string // IANA name: "Europe/Berlin"
	AutoRollback                *bool
	RollbackRequiresApproval    *bool
	AfterRollback               *string // "approve" or "auto"
	ForcePush                   *string // "approve" or "allow"
	MinimumRiskLevelForApproval *string // "Low", "Medium", "High" or "Critical"
	HealthCheckTimeout          *time.Duration
	StagingTimeout              *time.Duration
}

// AllowedHours is a daily window, "HH:MM" each; both or neither are set.
type AllowedHours struct {
	Start, End *string
}

// PolicyFor returns what the file says about an environment: its entry in
// DeploymentPolicies, field by field over DeploymentPolicy. AllowedHours is one field.
func (g *GitOps) PolicyFor(environment string) DeploymentPolicy {
	policy := g.DeploymentPolicy
	for name, own := range g.DeploymentPolicies {
		if strings.EqualFold(name, environment) {
			policy = own.over(policy)
		}
	}
	return policy
}

func (p DeploymentPolicy) over(base DeploymentPolicy) DeploymentPolicy {
	keep(&p.RequiresApproval, base.RequiresApproval)
	keep(&p.MinimumApprovers, base.MinimumApprovers)
	keep(&p.ForbidAuthorApproval, base.ForbidAuthorApproval)
	keep(&p.ApprovalTimeout, base.ApprovalTimeout)
	keep(&p.TimeZone, base.TimeZone)
	keep(&p.AutoRollback, base.AutoRollback)
	keep(&p.RollbackRequiresApproval, base.RollbackRequiresApproval)
	keep(&p.AfterRollback, base.AfterRollback)
	keep(&p.ForcePush, base.ForcePush)
	keep(&p.MinimumRiskLevelForApproval, base.MinimumRiskLevelForApproval)
	keep(&p.HealthCheckTimeout, base.HealthCheckTimeout)
	keep(&p.StagingTimeout, base.StagingTimeout)
	if p.AllowedDays == nil {
		p.AllowedDays = base.AllowedDays
	}
	if p.AllowedHours == (AllowedHours{}) {
		p.AllowedHours = base.AllowedHours
	}
	return p
}

func keep[T any](own **T, base *T) {
	if *own == nil {
		*own = base
	}
}

func (p *DeploymentPolicy) describe(t *table) {
	optional(t, "RequiresApproval", flag(), &p.RequiresApproval, "Every deployment waits for approval. production: true, else false.")
	optional(t, "MinimumApprovers", count(100), &p.MinimumApprovers, "Distinct approvers needed. 1.")
	optional(t, "ForbidAuthorApproval", flag(), &p.ForbidAuthorApproval, "Contributors and the initiator do not count as approvers.")
	optional(t, "ApprovalTimeout", span(), &p.ApprovalTimeout,
		"An approval asked for expires after it. production 24 h, staging 4 h, development 1 h.")
	list(t, "AllowedDays", oneOf(weekdays()...), &p.AllowedDays, "Days on which deployments may begin. All.")
	t.section("AllowedHours", p.AllowedHours.describe)
	optional(t, "TimeZone", zone(), &p.TimeZone, "Time zone of AllowedDays and AllowedHours. UTC.")
	optional(t, "AutoRollback", flag(), &p.AutoRollback, "Roll back when verification fails. development: false, else true.")
	optional(t, "RollbackRequiresApproval", flag(), &p.RollbackRequiresApproval, "Rollbacks wait for approval too. false.")
	optional(t, "AfterRollback", oneOf("approve", "auto"), &p.AfterRollback,
		"Whether the first new content after a rollback needs approval. development: auto, else approve.")
	optional(t, "ForcePush", oneOf("approve", "allow"), &p.ForcePush, "Whether a rewritten branch needs approval. development: allow, else approve.")
	optional(t, "MinimumRiskLevelForApproval", oneOf("Low", "Medium", "High", "Critical"), &p.MinimumRiskLevelForApproval,
		"Deployments of at least this risk wait for approval. production Medium, staging High, development Critical.")
	optional(t, "HealthCheckTimeout", span(), &p.HealthCheckTimeout, "Longest time for verification.")
	optional(t, "StagingTimeout", span(), &p.StagingTimeout, "Longest time for staging on all nodes.")
}

func (h *AllowedHours) describe(t *table) {
	optional(t, "Start", clock(), &h.Start, "Deployments may begin from this time of day.")
	optional(t, "End", clock(), &h.End, "Deployments may begin until this time of day.")
}

func weekdays() []string {
	var names []string
	for day := time.Sunday; day <= time.Saturday; day++ {
		names = append(names, day.String())
	}
	return names
}

// clock is a time of day; "24:00" is the end of one.
func clock() kind[string] {
	return kind[string]{name: "time of day", example: `"09:30"`, parse: func(s string) (string, error) {
		if _, err := time.Parse("15:04", s); (err != nil || len(s) != len("15:04")) && s != "24:00" {
			return "", parseError("is not a time of day")
		}
		return s, nil
	}}
}

func zone() kind[string] {
	return kind[string]{name: "time zone", example: `"Europe/Berlin" or "UTC"`, parse: func(s string) (string, error) {
		if _, err := time.LoadLocation(s); err != nil || s == "" || s == "Local" {
			return "", parseError("is not a time zone that this machine knows")
		}
		return s, nil
	}}
}
