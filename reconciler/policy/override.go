package policy

import (
	"errors"
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// ErrRange is wrapped by the errors of values outside what a policy allows.
var ErrRange = errors.New("out of range")

// Bounds of what a policy can say.
const (
	maxApprovers       = 100
	minTimeout         = time.Second
	maxApprovalTimeout = 365 * 24 * time.Hour
	maxStepTimeout     = 24 * time.Hour
)

// Override is what a file says about one environment; what is nil keeps the environment's default.
type Override struct {
	RequiresApproval            *bool
	MinimumApprovers            *int
	ForbidAuthorApproval        *bool
	ApprovalTimeout             *time.Duration
	AllowedDays                 []time.Weekday
	AllowedHours                *Hours
	TimeZone                    *string
	AutoRollback                *bool
	RollbackRequiresApproval    *bool
	AfterRollback               *string
	ForcePush                   *string
	MinimumRiskLevelForApproval *catalog.Risk
	HealthCheckTimeout          *time.Duration
	StagingTimeout              *time.Duration
	Blackouts                   []Blackout
}

// Hours are minutes since midnight; End may be 1440, and before Start if the hours go past midnight.
type Hours struct {
	Start, End int
}

// Resolve is the policy of an environment: what the repository's file says over the defaults, else what the server's
// settings say over the defaults, else the defaults. Either override may be nil. Errors wrap ErrWindow or ErrRange.
func Resolve(environment string, file, settings *Override) (Policy, error) {
	base := Default(environment)
	switch {
	case file != nil:
		return file.over(base)
	case settings != nil:
		return settings.over(base)
	default:
		return base, nil
	}
}

// over is the base with what the override says.
func (o Override) over(base Policy) (Policy, error) {
	replace(&base.RequiresApproval, o.RequiresApproval)
	replace(&base.MinimumApprovers, o.MinimumApprovers)
	replace(&base.ForbidAuthorApproval, o.ForbidAuthorApproval)
	replace(&base.ApprovalTimeout, o.ApprovalTimeout)
	replace(&base.AutoRollback, o.AutoRollback)
	replace(&base.RollbackRequiresApproval, o.RollbackRequiresApproval)
	replace(&base.AfterRollback, o.AfterRollback)
	replace(&base.ForcePush, o.ForcePush)
	replace(&base.MinimumRiskLevelForApproval, o.MinimumRiskLevelForApproval)
	replace(&base.HealthCheckTimeout, o.HealthCheckTimeout)
	replace(&base.StagingTimeout, o.StagingTimeout)
	if o.AllowedDays != nil {
		base.Window.Days = o.AllowedDays
	}
	if o.AllowedHours != nil {
		base.Window.Start, base.Window.End = o.AllowedHours.Start, o.AllowedHours.End
	}
	if o.Blackouts != nil {
		base.Window.Blackouts = o.Blackouts
	}
	replace(&base.Window.TimeZone, o.TimeZone)
	window, err := base.Window.resolved()
	if err != nil {
		return Policy{}, err
	}
	base.Window = window
	return base, base.check()
}

func replace[T any](target *T, with *T) {
	if with != nil {
		*target = *with
	}
}

// check tests what the reader of the file tests too, for overrides that come from elsewhere.
func (p Policy) check() error {
	switch {
	case p.MinimumApprovers < 1 || p.MinimumApprovers > maxApprovers:
		return fmt.Errorf("%w: minimumApprovers must be from 1 to %d", ErrRange, maxApprovers)
	case p.ApprovalTimeout < minTimeout || p.ApprovalTimeout > maxApprovalTimeout:
		return fmt.Errorf("%w: approvalTimeout must be from 1 second to 365 days", ErrRange)
	case p.HealthCheckTimeout < minTimeout || p.HealthCheckTimeout > maxStepTimeout:
		return fmt.Errorf("%w: healthCheckTimeout must be from 1 second to 24 hours", ErrRange)
	case p.StagingTimeout < minTimeout || p.StagingTimeout > maxStepTimeout:
		return fmt.Errorf("%w: stagingTimeout must be from 1 second to 24 hours", ErrRange)
	case p.AfterRollback != Approve && p.AfterRollback != Auto:
		return fmt.Errorf("%w: afterRollback must be %s or %s", ErrRange, Approve, Auto)
	case p.ForcePush != Approve && p.ForcePush != Allow:
		return fmt.Errorf("%w: forcePush must be %s or %s", ErrRange, Approve, Allow)
	case p.MinimumRiskLevelForApproval < catalog.RiskLow || p.MinimumRiskLevelForApproval > catalog.RiskCritical:
		return fmt.Errorf("%w: minimumRiskLevelForApproval must be a risk level", ErrRange)
	}
	return nil
}
