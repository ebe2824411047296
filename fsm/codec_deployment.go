package fsm

var deploymentCodec = codec[Deployment]{
	textField(1, func(d *Deployment) *string { return &d.ID }),
	numberField(2, func(d *Deployment) *uint64 { return &d.Ordinal }),
	textField(3, func(d *Deployment) *string { return &d.Environment }),
	textField(4, func(d *Deployment) *string { return &d.Commit }),
	textField(5, func(d *Deployment) *string { return &d.Digest }),
	textField(6, func(d *Deployment) *string { return &d.Branch }),
	textField(7, func(d *Deployment) *string { return &d.PreviousCommit }),
	textField(8, func(d *Deployment) *string { return &d.Author }),
	textField(9, func(d *Deployment) *string { return &d.AuthorEmail }),
	textField(10, func(d *Deployment) *string { return &d.Message }),
	numberField(11, func(d *Deployment) *int64 { return &d.CommittedAt }),
	numberField(12, func(d *Deployment) *uint32 { return &d.ChangedFiles }),
	numberField(13, func(d *Deployment) *uint32 { return &d.RelevantFiles }),
	listField(14, contributorCodec, func(d *Deployment) *[]Contributor { return &d.Contributors }),
	enumField(15, len(riskNames), func(d *Deployment) *Risk { return &d.Risk }),
	blobField(16, func(d *Deployment) *[]byte { return &d.Plan }),
	flagField(17, func(d *Deployment) *bool { return &d.Rewritten }),
	textsField(18, func(d *Deployment) *[]string { return &d.RewrittenAway }),
	enumField(19, len(stateNames), func(d *Deployment) *DeploymentState { return &d.State }),
	enumField(20, len(phaseNames), func(d *Deployment) *Phase { return &d.Phase }),
	enumField(21, len(healthNames), func(d *Deployment) *Health { return &d.Health }),
	textField(22, func(d *Deployment) *string { return &d.InitiatedBy }),
	numberField(23, func(d *Deployment) *int64 { return &d.Created }),
	numberField(24, func(d *Deployment) *int64 { return &d.Started }),
	numberField(25, func(d *Deployment) *int64 { return &d.Updated }),
	numberField(26, func(d *Deployment) *int64 { return &d.CompletedAt }),
	textField(27, func(d *Deployment) *string { return &d.Error }),
	textField(28, func(d *Deployment) *string { return &d.ReasonCode }),
	textsField(29, func(d *Deployment) *[]string { return &d.Problems }),
	listField(30, transitionCodec, func(d *Deployment) *[]Transition { return &d.History }),
	numberField(31, func(d *Deployment) *uint32 { return &d.Attempts }),
	numberField(32, func(d *Deployment) *uint64 { return &d.Activation }),
	flagField(33, func(d *Deployment) *bool { return &d.EverCompleted }),
	policyField(34, func(d *Deployment) **Policy { return &d.Policy }),
	policyField(35, func(d *Deployment) **Policy { return &d.NextPolicy }),
	numberField(36, func(d *Deployment) *uint32 { return &d.Required }),
	textsField(37, func(d *Deployment) *[]string { return &d.ApprovalReasons }),
	listField(38, approvalCodec, func(d *Deployment) *[]Approval { return &d.Approvals }),
	numberField(39, func(d *Deployment) *int64 { return &d.AwaitingSince }),
	flagField(40, func(d *Deployment) *bool { return &d.Overridden }),
	textField(41, func(d *Deployment) *string { return &d.SupersededBy }),
	textField(42, func(d *Deployment) *string { return &d.RolledBackTo }),
	numberField(43, func(d *Deployment) *int64 { return &d.EstimatedMs }),
	numberField(44, func(d *Deployment) *uint32 { return &d.Services }),
	flagField(45, func(d *Deployment) *bool { return &d.DryRun }),
	flagField(46, func(d *Deployment) *bool { return &d.HasContent }),
	flagField(47, func(d *Deployment) *bool { return &d.Imported }),
	inlineField(48, signatureCodec, func(d *Deployment) *Signature { return &d.Signature }),
	flagField(49, func(d *Deployment) *bool { return &d.ContributorsUnknown }),
}

var signatureCodec = codec[Signature]{
	textField(1, func(s *Signature) *string { return &s.Status }),
	textField(2, func(s *Signature) *string { return &s.Commit }),
	textField(3, func(s *Signature) *string { return &s.Signer }),
	textField(4, func(s *Signature) *string { return &s.Key }),
	textField(5, func(s *Signature) *string { return &s.Detail }),
}

var contributorCodec = codec[Contributor]{
	textField(1, func(c *Contributor) *string { return &c.Name }),
	textField(2, func(c *Contributor) *string { return &c.Email }),
	textField(3, func(c *Contributor) *string { return &c.Role }),
}

var transitionCodec = codec[Transition]{
	enumField(1, len(stateNames), func(t *Transition) *DeploymentState { return &t.From }),
	enumField(2, len(stateNames), func(t *Transition) *DeploymentState { return &t.To }),
	enumField(3, len(phaseNames), func(t *Transition) *Phase { return &t.Phase }),
	numberField(4, func(t *Transition) *int64 { return &t.At }),
	textField(5, func(t *Transition) *string { return &t.Message }),
}

var activationCodec = codec[Activation]{
	textField(1, func(a *Activation) *string { return &a.Environment }),
	numberField(2, func(a *Activation) *uint64 { return &a.Index }),
	numberField(3, func(a *Activation) *uint64 { return &a.Epoch }),
	enumField(4, len(kindNames), func(a *Activation) *Kind { return &a.Kind }),
	textField(5, func(a *Activation) *string { return &a.DeploymentID }),
	textField(6, func(a *Activation) *string { return &a.Commit }),
	textField(7, func(a *Activation) *string { return &a.Digest }),
	numberField(8, func(a *Activation) *int64 { return &a.At }),
	textField(9, func(a *Activation) *string { return &a.Reason }),
	textField(10, func(a *Activation) *string { return &a.Actor }),
	numberField(11, func(a *Activation) *uint64 { return &a.RaftIndex }),
}

var holdCodec = codec[Hold]{
	textField(1, func(h *Hold) *string { return &h.Environment }),
	textField(2, func(h *Hold) *string { return &h.Digest }),
	textField(3, func(h *Hold) *string { return &h.Commit }),
	textField(4, func(h *Hold) *string { return &h.Reason }),
	textField(5, func(h *Hold) *string { return &h.DeploymentID }),
	numberField(6, func(h *Hold) *int64 { return &h.Since }),
}
