package fsm

var requestCodec = codec[Request]{
	textField(1, func(r *Request) *string { return &r.ID }),
	numberField(2, func(r *Request) *uint64 { return &r.Ordinal }),
	numberField(3, func(r *Request) *int64 { return &r.IssuedAt }),
	numberField(4, func(r *Request) *int64 { return &r.At }),
	sumField(5, func(r *Request) *[32]byte { return &r.Payload }),
	textField(6, func(r *Request) *string { return &r.Caller }),
	inlineField(7, resultCodec, func(r *Request) *Result { return &r.Result }),
}

var resultCodec = codec[Result]{
	numberField(1, func(r *Result) *uint64 { return &r.Index }),
	optionalField(2, refusalCodec, func(r *Result) **Refusal { return &r.Refusal }),
	textField(3, func(r *Result) *string { return &r.DeploymentID }),
	textField(4, func(r *Result) *string { return &r.Environment }),
	numberField(5, func(r *Result) *uint64 { return &r.Sequence }),
	numberField(6, func(r *Result) *uint64 { return &r.Value }),
	flagField(7, func(r *Result) *bool { return &r.Replayed }),
	textField(8, func(r *Result) *string { return &r.Message }),
}

var refusalCodec = codec[Refusal]{
	textField(1, func(r *Refusal) *Class { return &r.Class }),
	textField(2, func(r *Refusal) *string { return &r.Reason }),
	textField(3, func(r *Refusal) *string { return &r.Message }),
}

var auditCodec = codec[AuditRecord]{
	numberField(1, func(a *AuditRecord) *uint64 { return &a.Sequence }),
	numberField(2, func(a *AuditRecord) *uint64 { return &a.Index }),
	numberField(3, func(a *AuditRecord) *int64 { return &a.At }),
	textField(4, func(a *AuditRecord) *string { return &a.Actor }),
	textField(5, func(a *AuditRecord) *string { return &a.Authentication }),
	textField(6, func(a *AuditRecord) *string { return &a.Source }),
	textField(7, func(a *AuditRecord) *string { return &a.Action }),
	textField(8, func(a *AuditRecord) *string { return &a.Environment }),
	textField(9, func(a *AuditRecord) *string { return &a.Object }),
	textField(10, func(a *AuditRecord) *string { return &a.Reason }),
	textField(11, func(a *AuditRecord) *string { return &a.Detail }),
	textField(12, func(a *AuditRecord) *string { return &a.RequestID }),
	sumField(13, func(a *AuditRecord) *[32]byte { return &a.Hash }),
}
