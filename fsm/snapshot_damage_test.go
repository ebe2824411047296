package fsm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// No part of a snapshot can be lost, or altered, without being noticed.
func TestDamageIsNoticed(t *testing.T) {
	data := written(t, populated(1))
	for n := range data {
		if _, err := ReadSnapshot(bytes.NewReader(data[:n])); !errors.Is(err, ErrSnapshotDamaged) {
			t.Fatalf("cut to %d of %d bytes the error is %v", n, len(data), err)
		}
	}
	for n := range data {
		altered := bytes.Clone(data)
		altered[n] ^= 1 << (n % 8)
		_, err := ReadSnapshot(bytes.NewReader(altered))
		if !errors.Is(err, ErrSnapshotDamaged) && !errors.Is(err, ErrSnapshotFormat) {
			t.Fatalf("with byte %d of %d altered the error is %v", n, len(data), err)
		}
		if _, err := ReadSnapshotInfo(bytes.NewReader(altered)); err == nil {
			t.Fatalf("with byte %d of %d altered it is described", n, len(data))
		}
	}
}

// sealed is a snapshot of an empty state with other frames in it, and with a
// checksum that matches.
func sealed(t *testing.T, s *State, frames func(*frameWriter)) []byte {
	t.Helper()
	var b bytes.Buffer
	f := newFrameWriter(&b)
	f.header(s)
	frames(f)
	f.trailer(s)
	if f.err != nil {
		t.Fatal(f.err)
	}
	return b.Bytes()
}

// What was put together by someone who can compute a checksum is refused, too.
func TestReadSnapshotRefuses(t *testing.T) {
	empty := New()
	meta := func(f *frameWriter) { writeRecord(f, pb.SnapshotKind_SNAPSHOT_KIND_META, metaCodec, &empty.meta) }
	hold := func(f *frameWriter) {
		writeRecord(f, pb.SnapshotKind_SNAPSHOT_KIND_HOLD, holdCodec, &Hold{Environment: "production", Digest: "d"})
	}
	deployment := func(f *frameWriter, d Deployment) {
		writeRecord(f, pb.SnapshotKind_SNAPSHOT_KIND_DEPLOYMENT, deploymentCodec, &d)
	}
	request := func(f *frameWriter, r Request) {
		writeRecord(f, pb.SnapshotKind_SNAPSHOT_KIND_REQUEST, requestCodec, &r)
	}
	newer := New()
	newer.meta.Format = FormatVersion + 1
	other := New()
	other.meta.ClusterID = "another"
	tests := map[string]struct {
		data []byte
		want error
	}{
		"nothing":             {nil, ErrSnapshotDamaged},
		"a snapshot twice":    {append(written(t, empty), written(t, empty)...), ErrSnapshotDamaged},
		"no meta":             {sealed(t, empty, func(*frameWriter) {}), ErrSnapshotDamaged},
		"meta twice":          {sealed(t, empty, func(f *frameWriter) { meta(f); meta(f) }), ErrSnapshotDamaged},
		"a newer state":       {written(t, newer), ErrSnapshotFormat},
		"another's header":    {sealed(t, other, meta), ErrSnapshotDamaged},
		"an unknown kind":     {sealed(t, empty, func(f *frameWriter) { meta(f); f.frame(99, nil); f.records++ }), ErrSnapshotDamaged},
		"a second header":     {sealed(t, empty, func(f *frameWriter) { meta(f); f.header(empty) }), ErrSnapshotDamaged},
		"kinds out of order":  {sealed(t, empty, func(f *frameWriter) { hold(f); meta(f) }), ErrSnapshotDamaged},
		"a record twice":      {sealed(t, empty, func(f *frameWriter) { meta(f); hold(f); hold(f) }), ErrSnapshotDamaged},
		"a record not hashed": {sealed(t, empty, func(f *frameWriter) { meta(f); hold(f) }), ErrSnapshotDamaged},
		"a wrong count":       {sealed(t, empty, func(f *frameWriter) { meta(f); f.records++ }), ErrSnapshotDamaged},
		"a broken record": {sealed(t, empty, func(f *frameWriter) {
			meta(f)
			f.frame(pb.SnapshotKind_SNAPSHOT_KIND_HOLD, []byte{0xff})
			f.records++
		}), ErrSnapshotDamaged},
		"two deployments of one content": {sealed(t, empty, func(f *frameWriter) {
			meta(f)
			deployment(f, Deployment{ID: "a", Ordinal: 1})
			deployment(f, Deployment{ID: "b", Ordinal: 2})
		}), ErrSnapshotDamaged},
		"two requests of one age": {sealed(t, empty, func(f *frameWriter) {
			meta(f)
			request(f, Request{ID: "a", Ordinal: 1})
			request(f, Request{ID: "b", Ordinal: 1})
		}), ErrSnapshotDamaged},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadSnapshot(bytes.NewReader(test.data)); !errors.Is(err, test.want) {
				t.Errorf("the error is %v, want %v", err, test.want)
			}
		})
	}
}

func TestUnknownFormatIsNamed(t *testing.T) {
	for _, format := range []uint32{0, 2, 1 << 31} {
		data := written(t, New())
		binary.BigEndian.PutUint32(data[len(snapshotMagic):], format)
		if _, err := ReadSnapshot(bytes.NewReader(data)); !errors.Is(err, ErrSnapshotFormat) {
			t.Errorf("of format %d the error is %v", format, err)
		}
	}
}

// A length takes no memory: only what follows it does.
func TestLyingLengthTakesNoMemory(t *testing.T) {
	start := binary.BigEndian.AppendUint32([]byte(snapshotMagic), 1)
	data := binary.AppendUvarint(append(start, byte(pb.SnapshotKind_SNAPSHOT_KIND_HEADER)), maxFrame)
	in := newFrameReader(bytes.NewReader(data))
	if _, err := in.header(formats()); !errors.Is(err, ErrSnapshotDamaged) {
		t.Fatalf("the error is %v", err)
	}
	if cap(in.buf) > 4<<20 {
		t.Errorf("%d bytes were taken", cap(in.buf))
	}
	beyond := binary.AppendUvarint(append(start, byte(pb.SnapshotKind_SNAPSHOT_KIND_HEADER)), maxFrame+1)
	if _, err := ReadSnapshot(bytes.NewReader(beyond)); !errors.Is(err, ErrSnapshotDamaged) {
		t.Errorf("beyond the bound the error is %v", err)
	}
}

// Whatever is taken for a snapshot is written as one that means the same.
func FuzzReadSnapshot(f *testing.F) {
	f.Add(written(f, New()))
	whole := written(f, populated(1))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(binary.BigEndian.AppendUint32([]byte(snapshotMagic), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSnapshot(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := ReadSnapshot(bytes.NewReader(written(t, s)))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if again.Hash() != s.Hash() {
			t.Fatal("the hashes differ")
		}
	})
}
