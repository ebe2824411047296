package fsm

import (
	"bytes"
	"io"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// ReadSnapshot reads what WriteSnapshot wrote, to the end of r. The state has
// the hash that was written with it. The error is ErrSnapshotDamaged for what is
// cut off, altered or no snapshot at all, ErrSnapshotFormat for what another
// build has to read, or that of the reader.
func ReadSnapshot(r io.Reader) (*State, error) { return readSnapshot(r, formats()) }

func readSnapshot(r io.Reader, f snapshotFormats) (*State, error) {
	l := &loader{to: newChange(New(), Entry{}, nil), shared: sharedPolicies{}}
	info, err := scanSnapshot(r, f, l.record)
	if err != nil {
		return nil, err
	}
	if !l.described(info) {
		return nil, damaged("its header does not describe its state")
	}
	s := l.to.commit()
	if s.Hash() != info.StateHash {
		return nil, damaged("its state does not have the hash that was written with it")
	}
	return s, nil
}

// loader fills an empty state with the records of a snapshot.
type loader struct {
	to     *change
	metas  int
	shared sharedPolicies
	// encoded is where records are encoded again, one after the other.
	encoded []byte
}

// described reports whether the header says of the state what it is.
func (l *loader) described(info SnapshotInfo) bool {
	m := l.to.meta
	return l.metas == 1 && m.Format == info.StateFormat && m.ClusterID == info.ClusterID &&
		m.ClusterName == info.ClusterName && m.Index == info.Index && m.Term == info.Term &&
		m.Epoch == info.Epoch && m.Now == info.Time
}

func (l *loader) record(kind pb.SnapshotKind, body []byte) error {
	c := l.to
	switch kind {
	case pb.SnapshotKind_SNAPSHOT_KIND_META:
		return l.meta(body)
	case pb.SnapshotKind_SNAPSHOT_KIND_ENVIRONMENT:
		return load(l, environmentCodec, body, &c.environments)
	case pb.SnapshotKind_SNAPSHOT_KIND_DEPLOYMENT:
		return load(l, deploymentCodec, body, &c.deployments, &c.byAge, &c.byContent)
	case pb.SnapshotKind_SNAPSHOT_KIND_ACTIVATION:
		return load(l, activationCodec, body, &c.activations)
	case pb.SnapshotKind_SNAPSHOT_KIND_BUNDLE:
		return loadContent(l, bundleCodec, body, &c.bundles)
	case pb.SnapshotKind_SNAPSHOT_KIND_UPLOAD:
		return loadContent(l, uploadCodec, body, &c.uploads)
	case pb.SnapshotKind_SNAPSHOT_KIND_NODE:
		return load(l, nodeCodec, body, &c.nodes)
	case pb.SnapshotKind_SNAPSHOT_KIND_HOLD:
		return load(l, holdCodec, body, &c.holds)
	case pb.SnapshotKind_SNAPSHOT_KIND_REQUEST:
		return load(l, requestCodec, body, &c.requests, &c.requestAges)
	case pb.SnapshotKind_SNAPSHOT_KIND_AUDIT:
		return load(l, auditCodec, body, &c.audits)
	case pb.SnapshotKind_SNAPSHOT_KIND_TOKEN:
		return load(l, tokenCodec, body, &c.tokens)
	default:
		return damaged("such records are not part of a state")
	}
}

func (l *loader) meta(body []byte) error {
	l.metas++
	m, err := metaCodec.decode(body)
	if err != nil {
		return err
	}
	l.to.meta = *m
	return nil
}

// load puts a record into its table and into the indexes of that table.
func load[T any](l *loader, c codec[T], body []byte, table *edit[T], indexes ...*edit[T]) error {
	record, err := reread(l, c, body)
	if err != nil {
		return err
	}
	return place(record, body, table, indexes...)
}

// loadContent is load for a record that the state hash covers in short.
func loadContent[T any](l *loader, c codec[T], body []byte, table *edit[T]) error {
	record, err := reread(l, c, body)
	if err != nil {
		return err
	}
	return place(record, table.schema.append(nil, record), table)
}

// reread decodes a record and makes sure that this is its one encoding, which
// the state hash relies on.
func reread[T any](l *loader, c codec[T], body []byte) (*T, error) {
	record := new(T)
	if err := c.read(body, record, l.shared); err != nil {
		return nil, err
	}
	if l.encoded = c.append(l.encoded[:0], record); !bytes.Equal(l.encoded, body) {
		return nil, damaged("it is not encoded as this build encodes it")
	}
	return record, nil
}

func place[T any](record *T, encoded []byte, table *edit[T], indexes ...*edit[T]) error {
	key := table.schema.key(record)
	hash := memberHash(table.schema.id, key, encoded)
	if !table.add(key, row{record, &hash}) {
		return damaged("%q is there twice", key)
	}
	for _, index := range indexes {
		if !index.add(index.schema.key(record), row{value: record}) {
			return damaged("%q is not the only one of its kind", key)
		}
	}
	return nil
}

// add is put for a record that is new; it reports whether it was.
func (e *edit[T]) add(key string, r row) bool {
	_, taken := e.begin().Insert([]byte(key), r)
	if r.hash != nil {
		e.hash = e.hash.plus(*r.hash)
	}
	return !taken
}
