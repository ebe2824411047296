package fsm

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// maxBackupChunks bounds a backup on its way in: 1 GiB of MaxChunk each.
const maxBackupChunks = 4096

// backupUpload is what the upload of a backup is known by among the others.
func backupUpload(id string) string { return "backup/" + id }

// storeBackup takes one part of a snapshot file. There is one such upload at a
// time: another one replaces it, and so does the end of the term. Value is the
// number of parts that are there.
func (c *change) storeBackup(command *pb.StoreBackup) (Result, error) {
	switch {
	case len(command.GetData()) == 0 || len(command.GetData()) > MaxChunk:
		return Result{}, refuse(ClassInvalid, "bad_chunk", "a part of a backup has 1 to %d bytes, this one %d", MaxChunk, len(command.GetData()))
	case command.GetTotal() == 0 || command.GetTotal() > maxBackupChunks:
		return Result{}, refuse(ClassExhausted, "backup_too_large", "a backup has at most %d parts, this one %d", maxBackupChunks, command.GetTotal())
	case command.GetUploadId() == "" || len(command.GetDigest()) != 2*sha256.Size:
		return Result{}, refuse(ClassInvalid, "bad_chunk", "a part of a backup names its upload and the file's SHA-256")
	}
	id := backupUpload(command.GetUploadId())
	upload := c.uploads.get(id)
	if upload == nil || upload.Digest != command.GetDigest() || upload.Total != command.GetTotal() {
		c.dropBackups()
		upload = &Upload{ID: id, Digest: command.GetDigest(), Term: c.entry.Term, Total: command.GetTotal()}
	}
	have := uint32(len(upload.Chunks))
	if command.GetSequence() < have {
		return Result{Value: uint64(have)}, nil
	}
	if command.GetSequence() > have {
		return Result{}, refuse(ClassAborted, "chunk_out_of_order", "part %d of the backup came when %d of %d were there: the leader changed meanwhile, begin again",
			command.GetSequence(), have, upload.Total)
	}
	alter := *upload
	alter.Chunks = append(slices.Clip(upload.Chunks), command.GetData())
	alter.RawSize += int64(len(command.GetData()))
	c.uploads.put(&alter)
	return Result{Value: uint64(len(alter.Chunks))}, nil
}

// dropBackups drops what was uploaded of backups.
func (c *change) dropBackups() {
	var stale []string
	for u := range c.uploads.now().all("") {
		if len(u.ID) > len("backup/") && u.ID[:len("backup/")] == "backup/" {
			stale = append(stale, u.ID)
		}
	}
	for _, id := range stale {
		c.uploads.drop(id)
	}
}

// storedBackup reads the state inside a complete upload.
func (c *change) storedBackup(id, digest string) (*State, error) {
	upload := c.uploads.get(backupUpload(id))
	if upload == nil || uint32(len(upload.Chunks)) < upload.Total || upload.Digest != digest {
		return nil, refuse(ClassAborted, "backup_incomplete", "the backup is not there as a whole: the leader changed meanwhile, or another upload began; begin again")
	}
	sum := sha256.New()
	for _, chunk := range upload.Chunks {
		sum.Write(chunk)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != digest {
		return nil, refuse(ClassInvalid, "backup_digest", "the backup arrived with SHA-256 %s, not %s: nothing was changed", got, digest)
	}
	if newerThan(&chunkReader{left: upload.Chunks}, c.meta.Format) {
		return nil, refuse(ClassPrecondition, "backup_newer", "the backup is of a later format than the one in force, %d: `honua cluster status` shows which nodes to upgrade; nothing was changed",
			c.meta.Format)
	}
	saved, err := ReadSnapshot(&chunkReader{left: upload.Chunks})
	if err != nil {
		return nil, refuse(ClassInvalid, "backup_damaged", "the backup cannot be restored: %v; nothing was changed", err)
	}
	return saved, nil
}

// chunkReader reads chunks one after the other, without joining them.
type chunkReader struct {
	left [][]byte
	// at is how much of the first one was read.
	at int
}

// Read implements io.Reader.
func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.left) > 0 && r.at == len(r.left[0]) {
		r.left, r.at = r.left[1:], 0
	}
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.left[0][r.at:])
	r.at += n
	return n, nil
}
