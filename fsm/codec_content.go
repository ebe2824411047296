package fsm

var bundleCodec = codec[Bundle]{
	textField(1, func(b *Bundle) *string { return &b.Digest }),
	blobField(2, func(b *Bundle) *[]byte { return &b.Compressed }),
	numberField(3, func(b *Bundle) *int64 { return &b.RawSize }),
	numberField(4, func(b *Bundle) *uint64 { return &b.Term }),
	numberField(5, func(b *Bundle) *uint64 { return &b.StoredAt }),
	numberField(6, func(b *Bundle) *uint32 { return &b.Refs }),
}

var uploadCodec = codec[Upload]{
	textField(1, func(u *Upload) *string { return &u.ID }),
	textField(2, func(u *Upload) *string { return &u.Digest }),
	numberField(3, func(u *Upload) *uint64 { return &u.Term }),
	numberField(4, func(u *Upload) *uint32 { return &u.Total }),
	numberField(5, func(u *Upload) *int64 { return &u.RawSize }),
	blobsField(6, func(u *Upload) *[][]byte { return &u.Chunks }),
}

// The state hash covers what stands for a content, not the content itself: it
// would be hashed again with every chunk of an upload.

func appendBundleKey(to []byte, b *Bundle) []byte {
	return bundleKeyCodec.append(to, &bundleKey{
		digest: b.Digest, compressedSize: uint64(len(b.Compressed)), rawSize: b.RawSize,
		term: b.Term, storedAt: b.StoredAt, refs: b.Refs,
	})
}

type bundleKey struct {
	digest         string
	compressedSize uint64
	rawSize        int64
	term           uint64
	storedAt       uint64
	refs           uint32
}

var bundleKeyCodec = codec[bundleKey]{
	textField(1, func(k *bundleKey) *string { return &k.digest }),
	numberField(2, func(k *bundleKey) *uint64 { return &k.compressedSize }),
	numberField(3, func(k *bundleKey) *int64 { return &k.rawSize }),
	numberField(4, func(k *bundleKey) *uint64 { return &k.term }),
	numberField(5, func(k *bundleKey) *uint64 { return &k.storedAt }),
	numberField(6, func(k *bundleKey) *uint32 { return &k.refs }),
}

func appendUploadKey(to []byte, u *Upload) []byte {
	sizes := make([]uint64, len(u.Chunks))
	for i, chunk := range u.Chunks {
		sizes[i] = uint64(len(chunk))
	}
	return uploadKeyCodec.append(to, &uploadKey{
		id: u.ID, digest: u.Digest, term: u.Term, total: u.Total, rawSize: u.RawSize, chunkSizes: sizes,
	})
}

type uploadKey struct {
	id         string
	digest     string
	term       uint64
	total      uint32
	rawSize    int64
	chunkSizes []uint64
}

var uploadKeyCodec = codec[uploadKey]{
	textField(1, func(k *uploadKey) *string { return &k.id }),
	textField(2, func(k *uploadKey) *string { return &k.digest }),
	numberField(3, func(k *uploadKey) *uint64 { return &k.term }),
	numberField(4, func(k *uploadKey) *uint32 { return &k.total }),
	numberField(5, func(k *uploadKey) *int64 { return &k.rawSize }),
	bucketsField(6, func(k *uploadKey) []uint64 { return k.chunkSizes }),
}
