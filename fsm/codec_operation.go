package fsm

var operationCodec = codec[Operation]{
	numberField(1, func(o *Operation) *uint64 { return &o.ID }),
	enumField(2, len(kindNames), func(o *Operation) *Kind { return &o.Kind }),
	textField(3, func(o *Operation) *string { return &o.DeploymentID }),
	textField(4, func(o *Operation) *string { return &o.TargetID }),
	textField(5, func(o *Operation) *string { return &o.Digest }),
	enumField(6, len(phaseNames), func(o *Operation) *Phase { return &o.Phase }),
	flagField(7, func(o *Operation) *bool { return &o.Gated }),
	listField(8, approvalCodec, func(o *Operation) *[]Approval { return &o.Approvals }),
	numberField(9, func(o *Operation) *int64 { return &o.Begun }),
	numberField(10, func(o *Operation) *int64 { return &o.Deadline }),
	listField(11, participantCodec, func(o *Operation) *[]Participant { return &o.Participants }),
	numberField(12, func(o *Operation) *uint64 { return &o.ActivationIndex }),
	flagField(13, func(o *Operation) *bool { return &o.Automatic }),
	textField(14, func(o *Operation) *string { return &o.Actor }),
	textField(15, func(o *Operation) *string { return &o.Reason }),
	textField(16, func(o *Operation) *string { return &o.Cause }),
	numberField(17, func(o *Operation) *uint32 { return &o.Services }),
}

var participantCodec = codec[Participant]{
	textField(1, func(p *Participant) *string { return &p.NodeID }),
	textField(2, func(p *Participant) *string { return &p.Incarnation }),
	enumField(3, int(AnswerNo)+1, func(p *Participant) *Answer { return &p.Staged }),
	enumField(4, int(AnswerNo)+1, func(p *Participant) *Answer { return &p.Verified }),
	textsField(5, func(p *Participant) *[]string { return &p.Problems }),
}

var outcomeCodec = codec[Outcome]{
	numberField(1, func(o *Outcome) *uint64 { return &o.Operation }),
	enumField(2, len(kindNames), func(o *Outcome) *Kind { return &o.Kind }),
	textField(3, func(o *Outcome) *string { return &o.DeploymentID }),
	textField(4, func(o *Outcome) *string { return &o.TargetID }),
	flagField(5, func(o *Outcome) *bool { return &o.OK }),
	textField(6, func(o *Outcome) *string { return &o.Message }),
	numberField(7, func(o *Outcome) *int64 { return &o.At }),
}

var approvalCodec = codec[Approval]{
	textField(1, func(a *Approval) *string { return &a.Approver }),
	numberField(2, func(a *Approval) *int64 { return &a.At }),
	textField(3, func(a *Approval) *string { return &a.Comment }),
}
