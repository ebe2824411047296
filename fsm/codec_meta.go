package fsm

func encodeMeta(m *Meta) []byte { return metaCodec.encode(m) }

var metaCodec = codec[Meta]{
	numberField(1, func(m *Meta) *uint32 { return &m.Format }),
	textField(2, func(m *Meta) *string { return &m.ClusterID }),
	textField(3, func(m *Meta) *string { return &m.ClusterName }),
	numberField(4, func(m *Meta) *uint64 { return &m.Epoch }),
	numberField(5, func(m *Meta) *uint64 { return &m.Index }),
	numberField(6, func(m *Meta) *uint64 { return &m.Term }),
	numberField(7, func(m *Meta) *int64 { return &m.Now }),
	numberField(8, func(m *Meta) *uint64 { return &m.Ordinal }),
	optionalField(9, settingsCodec, func(m *Meta) **Settings { return &m.Settings }),
	optionalField(10, pauseCodec, func(m *Meta) **Pause { return &m.Freeze }),
	numberField(11, func(m *Meta) *int64 { return &m.RequestHorizon }),
	numberField(12, func(m *Meta) *uint64 { return &m.AuditSequence }),
	sumField(13, func(m *Meta) *[32]byte { return &m.AuditHead }),
	sumField(14, func(m *Meta) *[32]byte { return &m.AuditAnchor }),
	numberField(15, func(m *Meta) *uint64 { return &m.PollGeneration }),
}

var settingsCodec = codec[Settings]{
	textField(1, func(s *Settings) *string { return &s.RepositoryURL }),
	listField(2, environmentSettingsCodec, func(s *Settings) *[]EnvironmentSettings { return &s.Environments }),
	numberField(3, func(s *Settings) *int64 { return &s.PollInterval }),
	numberField(4, func(s *Settings) *uint32 { return &s.HistoryLimit }),
	flagField(5, func(s *Settings) *bool { return &s.DryRun }),
	numberField(6, func(s *Settings) *int64 { return &s.MaxFileBytes }),
	numberField(7, func(s *Settings) *int64 { return &s.MaxBundleBytes }),
	numberField(8, func(s *Settings) *uint32 { return &s.MaxFiles }),
	numberField(9, func(s *Settings) *int64 { return &s.FetchTimeout }),
	numberField(10, func(s *Settings) *int64 { return &s.FetchMemoryBytes }),
	textMapField(11, func(s *Settings) *map[string]string { return &s.Identities }),
	textField(12, func(s *Settings) *string { return &s.FileDigest }),
}

var environmentSettingsCodec = codec[EnvironmentSettings]{
	textField(1, func(e *EnvironmentSettings) *string { return &e.Name }),
	textField(2, func(e *EnvironmentSettings) *string { return &e.Branch }),
	policyField(3, func(e *EnvironmentSettings) **Policy { return &e.Policy }),
	inlineField(4, verificationCodec, func(e *EnvironmentSettings) *Verification { return &e.Verification }),
}

var verificationCodec = codec[Verification]{
	textField(1, func(v *Verification) *string { return &v.Mode }),
	flagField(2, func(v *Verification) *bool { return &v.EveryCommit }),
}

var policyCodec = codec[Policy]{
	flagField(1, func(p *Policy) *bool { return &p.RequiresApproval }),
	numberField(2, func(p *Policy) *uint32 { return &p.MinimumApprovers }),
	flagField(3, func(p *Policy) *bool { return &p.ForbidAuthorApproval }),
	numberField(4, func(p *Policy) *int64 { return &p.ApprovalTimeout }),
	flagField(5, func(p *Policy) *bool { return &p.AutoRollback }),
	flagField(6, func(p *Policy) *bool { return &p.RollbackRequiresApproval }),
	flagField(7, func(p *Policy) *bool { return &p.ApproveAfterRollback }),
	flagField(8, func(p *Policy) *bool { return &p.ApproveRewrite }),
	enumField(9, len(riskNames), func(p *Policy) *Risk { return &p.MinimumRisk }),
	numberField(10, func(p *Policy) *int64 { return &p.HealthCheckTimeout }),
	numberField(11, func(p *Policy) *int64 { return &p.StagingTimeout }),
	blobField(12, func(p *Policy) *[]byte { return &p.Canonical }),
}
