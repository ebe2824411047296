package fsm

var nodeCodec = codec[Node]{
	textField(1, func(n *Node) *string { return &n.ID }),
	textField(2, func(n *Node) *string { return &n.Incarnation }),
	flagField(3, func(n *Node) *bool { return &n.Available }),
	flagField(4, func(n *Node) *bool { return &n.Voter }),
	textField(5, func(n *Node) *string { return &n.Version }),
	numberField(6, func(n *Node) *uint32 { return &n.Format }),
	textField(7, func(n *Node) *string { return &n.SettingsDigest }),
	textField(8, func(n *Node) *string { return &n.RaftAddress }),
	textField(9, func(n *Node) *string { return &n.GRPCAddress }),
	textField(10, func(n *Node) *string { return &n.HTTPAddress }),
	textField(11, func(n *Node) *string { return &n.GossipAddress }),
	numberField(12, func(n *Node) *int64 { return &n.Since }),
	listField(13, servedCodec, func(n *Node) *[]Served { return &n.Serves }),
}

var servedCodec = codec[Served]{
	textField(1, func(s *Served) *string { return &s.Environment }),
	numberField(2, func(s *Served) *uint64 { return &s.Epoch }),
	numberField(3, func(s *Served) *uint64 { return &s.Index }),
	textField(4, func(s *Served) *string { return &s.Digest }),
	flagField(5, func(s *Served) *bool { return &s.Healthy }),
	textField(6, func(s *Served) *string { return &s.Message }),
}
