package fsm

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/proto"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// The layout of a snapshot is described in snapshot.proto.

const (
	snapshotMagic = "HONUASNP"
	// maxFrame bounds a record, bytes. It is far above what the limits of
	// contents allow; memory is only taken for what is really there.
	maxFrame = 1 << 30
)

// SnapshotInfo is what a snapshot says of itself.
type SnapshotInfo struct {
	// Format is the snapshot's own, StateFormat that of the state inside.
	Format      uint32
	StateFormat uint32
	ClusterID   string
	ClusterName string
	// Index and Term are of the newest applied entry.
	Index uint64
	Term  uint64
	// Epoch counts restores from backups; 1 at first.
	Epoch uint64
	// Time is the replicated clock, Unix milliseconds.
	Time int64
	// Records counts the records by kind, such as "deployment".
	Records map[string]uint64
	// StateHash is the hash of the state inside (I11).
	StateHash [32]byte
	// Size is the whole snapshot's, bytes.
	Size int64
}

// ReadSnapshotInfo reads a snapshot to its end and checks it against its
// checksum, without building the state. The errors are those of ReadSnapshot.
func ReadSnapshotInfo(r io.Reader) (SnapshotInfo, error) {
	return scanSnapshot(r, formats(), func(pb.SnapshotKind, []byte) error { return nil })
}

// snapshotFormats is the formats that a build reads; it writes the newest.
type snapshotFormats struct {
	newest uint32
	// migrations lead from each older format to the one after it.
	migrations map[uint32]migration
}

// migration makes a record of one format one of the next. It sees nothing but
// the record, so that its result is the same on every node.
type migration func(kind pb.SnapshotKind, body []byte) ([]byte, error)

func formats() snapshotFormats { return snapshotFormats{newest: containerOf(FormatVersion)} }

// containerOf is the format of the snapshots of a state format. Nodes that are
// older than the format in force do not exist, so each can read what the others
// write.
func containerOf(uint32) uint32 { return 1 }

// newerThan reports whether a snapshot is of a later format than the one in
// force. Builds that could read it and builds that could not agree on that.
func newerThan(r io.Reader, inForce uint32) bool {
	in := newFrameReader(r)
	start, err := in.take(len(snapshotMagic) + 4)
	if err != nil || string(start[:len(snapshotMagic)]) != snapshotMagic {
		return false
	}
	if binary.BigEndian.Uint32(start[len(snapshotMagic):]) > containerOf(inForce) {
		return true
	}
	h := &pb.SnapshotHeader{}
	_, body, err := in.frame()
	return err == nil && proto.Unmarshal(body, h) == nil && h.GetStateFormat() > inForce
}

// check refuses a format that no chain of migrations leads away from.
func (f snapshotFormats) check(format uint32) error {
	if format == 0 || format > f.newest {
		return fmt.Errorf("%w: it is %d, this build reads up to %d: upgrade this node", ErrSnapshotFormat, format, f.newest)
	}
	for ; format < f.newest; format++ {
		if f.migrations[format] == nil {
			return fmt.Errorf("%w: this build no longer reads %d", ErrSnapshotFormat, format)
		}
	}
	return nil
}

func (f snapshotFormats) migrate(format uint32, kind pb.SnapshotKind, body []byte) ([]byte, error) {
	for ; format < f.newest; format++ {
		next, err := f.migrations[format](kind, body)
		if err != nil {
			return nil, fmt.Errorf("from format %d: %w", format, err)
		}
		body = next
	}
	return body, nil
}

// kindName is a kind as a person reads it.
func kindName(kind pb.SnapshotKind) string {
	return strings.ToLower(strings.TrimPrefix(kind.String(), "SNAPSHOT_KIND_"))
}
