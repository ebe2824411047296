package fsm

// DeploymentState is where a deployment stands.
type DeploymentState uint8

// The states of a deployment; see transitions for the ways between them.
const (
	StateNone DeploymentState = iota
	Pending
	AwaitingApproval
	Applying
	Completed
	Failed
	RolledBack
	Superseded
)

var stateNames = [...]string{
	"", "Pending", "AwaitingApproval", "Applying", "Completed", "Failed", "RolledBack", "Superseded",
}

// String returns the spelling of the state files.
func (s DeploymentState) String() string { return stateNames[s] }

// Terminal reports whether nothing more happens without a caller's asking.
func (s DeploymentState) Terminal() bool { return s >= Completed }

// Waiting reports whether the deployment has not begun applying.
func (s DeploymentState) Waiting() bool { return s == Pending || s == AwaitingApproval }

// Phase refines Applying.
type Phase uint8

// The phases of an operation.
const (
	PhaseNone Phase = iota
	Staging
	Activating
	Verifying
	RollingBack
)

var phaseNames = [...]string{"", "Staging", "Activating", "Verifying", "RollingBack"}

// String returns the spelling of the state files.
func (p Phase) String() string { return phaseNames[p] }

// Health is what is known of what an environment serves.
type Health uint8

// The healths of an environment.
const (
	HealthUnknown Health = iota
	Healthy
	Progressing
	Degraded
	Unhealthy
)

var healthNames = [...]string{"Unknown", "Healthy", "Progressing", "Degraded", "Unhealthy"}

// String returns the spelling of the state files.
func (h Health) String() string { return healthNames[h] }

// SyncStatus compares what is deployed with the branch's head.
type SyncStatus uint8

// The sync statuses of an environment.
const (
	SyncUnknown SyncStatus = iota
	Synced
	OutOfSync
	Syncing
)

var syncNames = [...]string{"Unknown", "Synced", "OutOfSync", "Syncing"}

// String returns the spelling of the state files.
func (s SyncStatus) String() string { return syncNames[s] }

// Risk orders changes by what they can break.
type Risk uint8

// The risks of a change.
const (
	RiskNone Risk = iota
	Low
	Medium
	High
	Critical
)

var riskNames = [...]string{"", "Low", "Medium", "High", "Critical"}

// String returns the spelling of plans and policies.
func (r Risk) String() string { return riskNames[r] }

// Kind is why an environment serves a content.
type Kind uint8

// The kinds of activations.
const (
	KindNone Kind = iota
	Deploy
	Rollback
	Restore
)

var kindNames = [...]string{"", "deploy", "rollback", "restore"}

// String returns the spelling of the list of activations.
func (k Kind) String() string { return kindNames[k] }

// transitions is the table of the architecture: from each state to those that
// it may leave to. What completed before becomes Completed again, wherever it
// went since, when a rollback serves its content. A branch that comes back to a
// commit begins its record anew. What is active and was to begin again may have
// been superseded when it is rolled away from.
var transitions = map[DeploymentState][]DeploymentState{
	StateNone:        {Pending, Failed},
	Pending:          {AwaitingApproval, Applying, Superseded, Failed},
	AwaitingApproval: {Pending, Superseded, Failed},
	Applying:         {Completed, Failed, RolledBack, Pending},
	Completed:        {RolledBack, Pending},
	Failed:           {Pending, RolledBack, Completed},
	RolledBack:       {Pending, Completed},
	Superseded:       {Completed, Pending, RolledBack},
}

func mayLeave(from, to DeploymentState) bool {
	for _, s := range transitions[from] {
		if s == to {
			return true
		}
	}
	return false
}
