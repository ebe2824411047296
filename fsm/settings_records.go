package fsm

// Policy is what gates a deployment; durations in milliseconds.
type Policy struct {
	RequiresApproval         bool
	MinimumApprovers         uint32
	ForbidAuthorApproval     bool
	ApprovalTimeout          int64
	AutoRollback             bool
	RollbackRequiresApproval bool
	ApproveAfterRollback     bool
	ApproveRewrite           bool
	MinimumRisk              Risk
	HealthCheckTimeout       int64
	StagingTimeout           int64
	Canonical                []byte
}

// EnvironmentSettings is one environment of the settings.
type EnvironmentSettings struct {
	Name   string
	Branch string
	Policy *Policy
	// Verification says what signatures of commits count for.
	Verification Verification
}

// Settings is what all nodes have to agree on.
type Settings struct {
	RepositoryURL    string
	Environments     []EnvironmentSettings
	PollInterval     int64
	HistoryLimit     uint32
	DryRun           bool
	MaxFileBytes     int64
	MaxBundleBytes   int64
	MaxFiles         uint32
	FetchTimeout     int64
	FetchMemoryBytes int64
	Identities       map[string]string
	// FileDigest is the digest of the files that were followed or overruled last.
	FileDigest string
}

// Environment returns the settings of an environment, or nil.
func (s *Settings) Environment(name string) *EnvironmentSettings {
	if s == nil {
		return nil
	}
	for i := range s.Environments {
		if s.Environments[i].Name == name {
			return &s.Environments[i]
		}
	}
	return nil
}
