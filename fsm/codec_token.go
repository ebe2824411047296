package fsm

var tokenCodec = codec[Token]{
	textField(1, func(t *Token) *string { return &t.ID }),
	sumField(2, func(t *Token) *[32]byte { return &t.Hash }),
	textField(3, func(t *Token) *string { return &t.Identity }),
	listField(4, grantCodec, func(t *Token) *[]Grant { return &t.Grants }),
	numberField(5, func(t *Token) *int64 { return &t.Created }),
	textField(6, func(t *Token) *string { return &t.CreatedBy }),
	numberField(7, func(t *Token) *int64 { return &t.Expires }),
	textField(8, func(t *Token) *string { return &t.Description }),
}

var grantCodec = codec[Grant]{
	textField(1, func(g *Grant) *string { return &g.Environment }),
	enumField(2, len(roleNames), func(g *Grant) *Role { return &g.Role }),
}
