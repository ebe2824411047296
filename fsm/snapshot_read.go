package fsm

import (
	"io"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// ReadSnapshot reads what WriteSnapshot wrote, to the end of r. The state has
// the hash that was written with it. The error is ErrSnapshotDamaged for what is
// cut off, altered or no snapshot at all, ErrSnapshotFormat for what another
// build has to read, or that of the reader.
func ReadSnapshot(r io.Reader) (*State, error) { return readSnapshot(r, formats()) }

func readSnapshot(r io.Reader, f snapshotFormats) (*State, error) {
	l := &loader{to: newChange(New(), Entry{}, nil), policies: map[string]*Policy{}}
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
	to    *change
	metas int
	// policies are shared: an environment's deployments mostly have one.
	policies map[string]*Policy
	key      []byte
}

// described reports whether the header says of the state what it is.
func (l *loader) described(info SnapshotInfo) bool {
	m := l.to.meta
	return l.metas == 1 && m.Format == info.StateFormat && m.ClusterID == info.ClusterID &&
		m.ClusterName == info.ClusterName && m.Index == info.Index && m.Term == info.Term &&
		m.Epoch == info.Epoch && m.Now == info.Time
}

func (l *loader) record(kind pb.SnapshotKind, body []byte) error {
	switch kind {
	case pb.SnapshotKind_SNAPSHOT_KIND_META:
		l.metas++
		l.to.meta = Meta{}
		return metaCodec.read(body, &l.to.meta)
	case pb.SnapshotKind_SNAPSHOT_KIND_ENVIRONMENT:
		return load(&l.to.environments, environmentCodec, body)
	case pb.SnapshotKind_SNAPSHOT_KIND_DEPLOYMENT:
		return l.deployment(body)
	case pb.SnapshotKind_SNAPSHOT_KIND_ACTIVATION:
		return load(&l.to.activations, activationCodec, body)
	case pb.SnapshotKind_SNAPSHOT_KIND_BUNDLE:
		return load(&l.to.bundles, bundleCodec, body)
	case pb.SnapshotKind_SNAPSHOT_KIND_UPLOAD:
		return load(&l.to.uploads, uploadCodec, body)
	case pb.SnapshotKind_SNAPSHOT_KIND_NODE:
		return load(&l.to.nodes, nodeCodec, body)
	case pb.SnapshotKind_SNAPSHOT_KIND_HOLD:
		return load(&l.to.holds, holdCodec, body)
	case pb.SnapshotKind_SNAPSHOT_KIND_REQUEST:
		return l.request(body)
	case pb.SnapshotKind_SNAPSHOT_KIND_AUDIT:
		return load(&l.to.audits, auditCodec, body)
	default:
		return damaged("such records are not part of a state")
	}
}

func (l *loader) deployment(body []byte) error {
	d, err := deploymentCodec.decode(body)
	if err != nil {
		return err
	}
	d.Policy, d.NextPolicy = l.shared(d.Policy), l.shared(d.NextPolicy)
	if !l.to.deployments.add(d) || !l.to.byAge.add(d) || !l.to.byContent.add(d) {
		return damaged("deployment %q is there twice", d.ID)
	}
	return nil
}

// shared returns one policy for all that are equal, as it was before the
// snapshot; otherwise a restart would multiply the memory that they take.
func (l *loader) shared(p *Policy) *Policy {
	if p == nil {
		return nil
	}
	l.key = policyCodec.append(l.key[:0], p)
	if known := l.policies[string(l.key)]; known != nil {
		return known
	}
	l.policies[string(l.key)] = p
	return p
}

func (l *loader) request(body []byte) error {
	r, err := requestCodec.decode(body)
	if err != nil {
		return err
	}
	if !l.to.requests.add(r) || !l.to.requestAges.add(r) {
		return damaged("request %q is there twice", r.ID)
	}
	return nil
}

func load[T any](e *edit[T], c codec[T], body []byte) error {
	record, err := c.decode(body)
	if err != nil {
		return err
	}
	if !e.add(record) {
		return damaged("%q is there twice", e.schema.key(record))
	}
	return nil
}

// add is put for a record whose key is free; it reports whether it was. An
// index holds records that are hashed in their own table: it needs no hash.
func (e *edit[T]) add(record *T) bool {
	key := e.schema.key(record)
	r := row[T]{value: record}
	if e.schema.id != 0 {
		r.hash = memberHash(e.schema.id, key, e.schema.encode(record))
	}
	_, taken := e.begin().Insert([]byte(key), r)
	e.hash = e.hash.plus(r.hash)
	return !taken
}
