package policy

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/internal/duration"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// normal is the canonical form: an entry of a policy file with every key, in JSON and in this order.
type normal struct {
	RequiresApproval            bool             `json:"requiresApproval"`
	MinimumApprovers            int              `json:"minimumApprovers"`
	ForbidAuthorApproval        bool             `json:"forbidAuthorApproval"`
	ApprovalTimeout             string           `json:"approvalTimeout"`
	AllowedDays                 []string         `json:"allowedDays,omitempty"`
	AllowedHours                *normalHours     `json:"allowedHours,omitempty"`
	TimeZone                    string           `json:"timeZone"`
	AutoRollback                bool             `json:"autoRollback"`
	RollbackRequiresApproval    bool             `json:"rollbackRequiresApproval"`
	AfterRollback               string           `json:"afterRollback"`
	ForcePush                   string           `json:"forcePush"`
	MinimumRiskLevelForApproval catalog.Risk     `json:"minimumRiskLevelForApproval"`
	HealthCheckTimeout          string           `json:"healthCheckTimeout"`
	StagingTimeout              string           `json:"stagingTimeout"`
	Blackouts                   []normalBlackout `json:"blackouts,omitempty"`
}

type normalHours struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type normalBlackout struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Reason string `json:"reason"`
}

// Normalise is the canonical form of the policy: policies that mean the same have the same bytes, on every machine.
// It is itself what ParseEnvironment reads. It fails only for a Policy that was not made by Default or Resolve.
func (p Policy) Normalise() ([]byte, error) {
	n := normal{
		RequiresApproval: p.RequiresApproval, MinimumApprovers: p.MinimumApprovers, ForbidAuthorApproval: p.ForbidAuthorApproval,
		ApprovalTimeout: duration.Format(p.ApprovalTimeout), TimeZone: p.Window.TimeZone, AutoRollback: p.AutoRollback,
		RollbackRequiresApproval: p.RollbackRequiresApproval, AfterRollback: p.AfterRollback, ForcePush: p.ForcePush,
		MinimumRiskLevelForApproval: p.MinimumRiskLevelForApproval,
		HealthCheckTimeout:          duration.Format(p.HealthCheckTimeout), StagingTimeout: duration.Format(p.StagingTimeout),
	}
	if n.TimeZone == "" {
		n.TimeZone = "UTC"
	}
	if len(p.Window.Days) < 7 {
		for _, day := range p.Window.Days {
			n.AllowedDays = append(n.AllowedDays, day.String())
		}
	}
	if !p.Window.allDay() {
		n.AllowedHours = &normalHours{Start: clock(p.Window.Start), End: clock(p.Window.End)}
	}
	for _, b := range p.Window.Blackouts {
		n.Blackouts = append(n.Blackouts, normalBlackout{
			From: b.From.UTC().Format(time.RFC3339Nano), To: b.To.UTC().Format(time.RFC3339Nano), Reason: b.Reason,
		})
	}
	content, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("normalise policy: %w", err)
	}
	return content, nil
}

// FromNormalised is the policy that Normalise wrote. Errors are problems of type catalog.Problem.
func FromNormalised(content []byte) (Policy, error) {
	override, problems := ParseEnvironment("policy", "", content)
	if len(problems) > 0 {
		return Policy{}, fmt.Errorf("read normalised policy: %w", problems[0])
	}
	return Resolve("", &override, nil)
}

// clock is minutes since midnight as HH:MM.
func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
