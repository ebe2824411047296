package fsm

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"

	"google.golang.org/protobuf/proto"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// WriteSnapshot writes a state as ReadSnapshot reads it. Equal states make
// equal bytes. The error is that of the writer.
func WriteSnapshot(w io.Writer, s *State) error {
	f := newFrameWriter(w)
	f.header(s)
	writeRecord(f, pb.SnapshotKind_SNAPSHOT_KIND_META, metaCodec, &s.meta)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_ENVIRONMENT, environmentCodec, s.environments)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_DEPLOYMENT, deploymentCodec, s.deployments)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_ACTIVATION, activationCodec, s.activations)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_BUNDLE, bundleCodec, s.bundles)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_UPLOAD, uploadCodec, s.uploads)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_NODE, nodeCodec, s.nodes)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_HOLD, holdCodec, s.holds)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_REQUEST, requestCodec, s.requests)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_AUDIT, auditCodec, s.audit)
	writeTable(f, pb.SnapshotKind_SNAPSHOT_KIND_TOKEN, tokenCodec, s.tokens)
	f.trailer(s)
	if f.err != nil {
		return fmt.Errorf("the snapshot cannot be written: %w", f.err)
	}
	return nil
}

func writeTable[T any](f *frameWriter, kind pb.SnapshotKind, c codec[T], records table[T]) {
	for record := range records.all("") {
		writeRecord(f, kind, c, record)
		if f.err != nil {
			return
		}
	}
}

func writeRecord[T any](f *frameWriter, kind pb.SnapshotKind, c codec[T], record *T) {
	f.body = c.append(f.body[:0], record)
	f.frame(kind, f.body)
	f.records++
}

// frameWriter writes frames and sums up what it wrote. Its first error stays.
type frameWriter struct {
	to      io.Writer
	out     *bufio.Writer
	sum     hash.Hash
	records uint64
	// body is where records are encoded, one after the other.
	body []byte
	err  error
}

func newFrameWriter(w io.Writer) *frameWriter {
	sum := sha256.New()
	return &frameWriter{to: w, out: bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10), sum: sum}
}

func (f *frameWriter) write(b []byte) {
	if f.err == nil {
		_, f.err = f.out.Write(b)
	}
}

func (f *frameWriter) frame(kind pb.SnapshotKind, body []byte) {
	if len(body) > maxFrame && f.err == nil {
		f.err = fmt.Errorf("a record of kind %s has %d bytes", kindName(kind), len(body))
	}
	var head [1 + binary.MaxVarintLen64]byte
	head[0] = byte(kind)
	n := binary.PutUvarint(head[1:], uint64(len(body)))
	f.write(head[:1+n])
	f.write(body)
}

func (f *frameWriter) message(kind pb.SnapshotKind, m proto.Message) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil && f.err == nil {
		f.err = err
	}
	f.frame(kind, body)
}

func (f *frameWriter) header(s *State) {
	f.write(binary.BigEndian.AppendUint32([]byte(snapshotMagic), containerOf(s.meta.Format)))
	f.message(pb.SnapshotKind_SNAPSHOT_KIND_HEADER, &pb.SnapshotHeader{
		StateFormat: s.meta.Format,
		ClusterId:   s.meta.ClusterID,
		ClusterName: s.meta.ClusterName,
		Index:       s.meta.Index,
		Term:        s.meta.Term,
		Epoch:       s.meta.Epoch,
		NowMs:       s.meta.Now,
	})
}

func (f *frameWriter) trailer(s *State) {
	hash := s.Hash()
	f.message(pb.SnapshotKind_SNAPSHOT_KIND_TRAILER, &pb.SnapshotTrailer{Records: f.records, StateHash: hash[:]})
	if f.err == nil {
		f.err = f.out.Flush()
	}
	if f.err == nil {
		_, f.err = f.to.Write(f.sum.Sum(nil))
	}
}
