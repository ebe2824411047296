package fsm

var environmentCodec = codec[Environment]{
	textField(1, func(e *Environment) *string { return &e.Name }),
	textField(2, func(e *Environment) *string { return &e.Branch }),
	numberField(3, func(e *Environment) *uint64 { return &e.Sequence }),
	numberField(4, func(e *Environment) *uint64 { return &e.LastActivation }),
	optionalField(5, activeCodec, func(e *Environment) **Active { return &e.Active }),
	textField(6, func(e *Environment) *string { return &e.LatestCommit }),
	textField(7, func(e *Environment) *string { return &e.LatestDigest }),
	textField(8, func(e *Environment) *string { return &e.SyncedCommit }),
	numberField(9, func(e *Environment) *int64 { return &e.LastPoll }),
	numberField(10, func(e *Environment) *int64 { return &e.NextPoll }),
	numberField(11, func(e *Environment) *uint64 { return &e.PollRequested }),
	numberField(12, func(e *Environment) *uint64 { return &e.PollDone }),
	textField(13, func(e *Environment) *string { return &e.PollErrorCode }),
	textField(14, func(e *Environment) *string { return &e.PollError }),
	optionalField(15, pauseCodec, func(e *Environment) **Pause { return &e.Pause }),
	optionalField(16, operationCodec, func(e *Environment) **Operation { return &e.Operation }),
	optionalField(17, outcomeCodec, func(e *Environment) **Outcome { return &e.LastOutcome }),
	textsField(18, func(e *Environment) *[]string { return &e.Waiting }),
	textField(19, func(e *Environment) *string { return &e.CurrentID }),
	textField(20, func(e *Environment) *string { return &e.LastCompletedID }),
	flagField(21, func(e *Environment) *bool { return &e.AfterRollback }),
	enumField(22, len(healthNames), func(e *Environment) *Health { return &e.Health }),
	textField(23, func(e *Environment) *string { return &e.HealthMessage }),
	inlineField(24, countersCodec, func(e *Environment) *Counters { return &e.Counters }),
	numberField(25, func(e *Environment) *uint64 { return &e.Changed }),
	flagField(26, func(e *Environment) *bool { return &e.Retired }),
	textsField(27, func(e *Environment) *[]string { return &e.Kept }),
	listField(28, faultCodec, func(e *Environment) *[]Fault { return &e.Faults }),
}

var faultCodec = codec[Fault]{
	textField(1, func(f *Fault) *string { return &f.Code }),
	numberField(2, func(f *Fault) *int64 { return &f.Since }),
	numberField(3, func(f *Fault) *int64 { return &f.Over }),
}

var countersCodec = codec[Counters]{
	numberField(1, func(c *Counters) *uint64 { return &c.Total }),
	numberField(2, func(c *Counters) *uint64 { return &c.Success }),
	numberField(3, func(c *Counters) *uint64 { return &c.Failure }),
	numberField(4, func(c *Counters) *uint64 { return &c.ApprovalTimeouts }),
	numberField(5, func(c *Counters) *uint64 { return &c.Rollbacks }),
	inlineField(6, histogramCodec, func(c *Counters) *Histogram { return &c.Succeeded }),
	inlineField(7, histogramCodec, func(c *Counters) *Histogram { return &c.Failed }),
}

var histogramCodec = codec[Histogram]{
	bucketsField(1, func(h *Histogram) []uint64 { return h.Buckets[:] }),
	numberField(2, func(h *Histogram) *uint64 { return &h.SumMs }),
}

var activeCodec = codec[Active]{
	numberField(1, func(a *Active) *uint64 { return &a.Index }),
	numberField(2, func(a *Active) *uint64 { return &a.Epoch }),
	enumField(3, len(kindNames), func(a *Active) *Kind { return &a.Kind }),
	textField(4, func(a *Active) *string { return &a.DeploymentID }),
	textField(5, func(a *Active) *string { return &a.Commit }),
	textField(6, func(a *Active) *string { return &a.Digest }),
	numberField(7, func(a *Active) *int64 { return &a.At }),
	policyField(8, func(a *Active) **Policy { return &a.Policy }),
}

var pauseCodec = codec[Pause]{
	textField(1, func(p *Pause) *string { return &p.Reason }),
	textField(2, func(p *Pause) *string { return &p.Actor }),
	numberField(3, func(p *Pause) *int64 { return &p.Since }),
	numberField(4, func(p *Pause) *int64 { return &p.Until }),
}
