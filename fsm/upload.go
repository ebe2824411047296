package fsm

import (
	"slices"

	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// MaxChunk is the largest part of a bundle in one command, bytes. Larger
// entries slow raft's codec down and cost leaders their lease.
const MaxChunk = 256 << 10

// uploadChunk takes one part of a bundle. Chunks belong to an upload of one
// term, in order: those of two uploads never mix. The last one unpacks the
// whole within the bound and compares its digest. Value is the number of
// chunks that are there.
func (c *change) uploadChunk(command *pb.UploadChunk) (Result, error) {
	if c.bundles.get(command.GetDigest()) != nil {
		return Result{Value: uint64(command.GetTotal())}, nil
	}
	if err := c.checkChunk(command); err != nil {
		return Result{}, err
	}
	upload := c.uploads.get(command.GetUploadId())
	if upload == nil {
		upload = c.beginUpload(command)
	}
	have := uint32(len(upload.Chunks))
	if command.GetSequence() < have {
		return Result{Value: uint64(have)}, nil
	}
	if command.GetSequence() > have || upload.Digest != command.GetDigest() || upload.Total != command.GetTotal() {
		return Result{}, refuse(ClassAborted, "chunk_out_of_order",
			"chunk %d of upload %s came when %d of %d were there", command.GetSequence(), upload.ID, have, upload.Total)
	}
	alter := *upload
	alter.Chunks = append(slices.Clip(upload.Chunks), command.GetData())
	if uint32(len(alter.Chunks)) < alter.Total {
		c.uploads.put(&alter)
		return Result{Value: uint64(len(alter.Chunks))}, nil
	}
	if err := c.storeBundle(&alter); err != nil {
		return Result{}, err
	}
	c.uploads.drop(alter.ID)
	return Result{Value: uint64(alter.Total)}, nil
}

func (c *change) checkChunk(command *pb.UploadChunk) error {
	limit := c.meta.Settings.maxBundleBytes()
	switch {
	case len(command.GetData()) == 0 || len(command.GetData()) > MaxChunk:
		return refuse(ClassInvalid, "bad_chunk", "a chunk has 1 to %d bytes, this one %d", MaxChunk, len(command.GetData()))
	case command.GetRawSize() <= 0 || command.GetRawSize() > 2*limit:
		return refuse(ClassExhausted, "bundle_too_large", "the content has %d bytes, GitOps.Limits.MaxBundleBytes is %d", command.GetRawSize(), limit)
	case command.GetTotal() == 0 || int64(command.GetTotal()) > 2*limit/MaxChunk+1:
		return refuse(ClassExhausted, "bundle_too_large", "%d chunks are more than GitOps.Limits.MaxBundleBytes allows", command.GetTotal())
	case command.GetUploadId() == "" || len(command.GetDigest()) != 64:
		return refuse(ClassInvalid, "bad_chunk", "a chunk names its upload and the content's SHA-256")
	}
	return nil
}

// beginUpload drops what an earlier attempt at the same content left behind.
func (c *change) beginUpload(command *pb.UploadChunk) *Upload {
	var stale []string
	for u := range c.uploads.now().all("") {
		if u.Digest == command.GetDigest() {
			stale = append(stale, u.ID)
		}
	}
	for _, id := range stale {
		c.uploads.drop(id)
	}
	return &Upload{
		ID: command.GetUploadId(), Digest: command.GetDigest(), Term: c.entry.Term,
		Total: command.GetTotal(), RawSize: command.GetRawSize(),
	}
}

func (c *change) storeBundle(upload *Upload) error {
	compressed := slices.Concat(upload.Chunks...)
	raw, err := bundle.Decompress(compressed, upload.RawSize, 2*c.meta.Settings.maxBundleBytes())
	if err != nil {
		return refuse(ClassInvalid, "bundle_unreadable", "the content cannot be unpacked: %v", err)
	}
	if digest := bundle.Digest(raw); digest != upload.Digest {
		return refuse(ClassInvalid, "bundle_digest", "the content's digest is %s, not %s", digest, upload.Digest)
	}
	c.bundles.put(&Bundle{
		Digest: upload.Digest, Compressed: compressed, RawSize: upload.RawSize,
		Term: c.entry.Term, StoredAt: c.entry.Index,
	})
	return nil
}

// dropUnfinished runs at the first entry of a term: uploads of earlier terms
// and contents that no environment came to keep will never be finished.
func (c *change) dropUnfinished() {
	var uploads, bundles []string
	for u := range c.uploads.now().all("") {
		uploads = append(uploads, u.ID)
	}
	for b := range c.bundles.now().all("") {
		if b.Refs == 0 {
			bundles = append(bundles, b.Digest)
		}
	}
	for _, id := range uploads {
		c.uploads.drop(id)
	}
	for _, digest := range bundles {
		c.bundles.drop(digest)
	}
}
