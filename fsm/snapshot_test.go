package fsm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

var update = flag.Bool("update", false, "write the newest golden files")

// newestGolden is what this build writes of the populated state. When records
// gain a field, name a new file here: one that a release has written stays as
// it is, because clusters hold such files.
const newestGolden = "v1.snap"

// populated is a state in which every field of every record is set.
func populated(records int) *State {
	from := &counted{}
	c := newChange(New(), Entry{}, nil)
	c.meta = *filled[Meta](from)
	c.meta.Format = newestFormat
	for range records {
		c.environments.put(filled[Environment](from))
		c.putDeployment(filled[Deployment](from))
		c.activations.put(filled[Activation](from))
		c.bundles.put(filled[Bundle](from))
		c.uploads.put(filled[Upload](from))
		c.nodes.put(filled[Node](from))
		c.holds.put(filled[Hold](from))
		request := filled[Request](from)
		c.requests.put(request)
		c.requestAges.put(request)
		c.audits.put(filled[AuditRecord](from))
		c.tokens.put(filled[Token](from))
	}
	return c.commit()
}

func written(t testing.TB, s *State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSnapshot(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What comes back is what was written, with its hash (I11) and its indexes.
func TestSnapshotSurvives(t *testing.T) {
	for name, s := range map[string]*State{"nothing": New(), "everything": populated(3)} {
		t.Run(name, func(t *testing.T) {
			data := written(t, s)
			got, err := ReadSnapshot(iotest.OneByteReader(bytes.NewReader(data)))
			if err != nil {
				t.Fatal(err)
			}
			checkSameState(t, s, got)
			if !bytes.Equal(written(t, got), data) {
				t.Error("an equal state is written otherwise")
			}
		})
	}
}

func checkSameState(t *testing.T, want, got *State) {
	t.Helper()
	if got.Hash() != want.Hash() {
		t.Error("the hashes differ")
	}
	if diff := cmp.Diff(want.meta, got.meta); diff != "" {
		t.Error(diff)
	}
	checkSameTable(t, want.environments, got.environments)
	checkSameTable(t, want.deployments, got.deployments)
	checkSameTable(t, want.byAge, got.byAge)
	checkSameTable(t, want.byContent, got.byContent)
	checkSameTable(t, want.activations, got.activations)
	checkSameTable(t, want.bundles, got.bundles)
	checkSameTable(t, want.uploads, got.uploads)
	checkSameTable(t, want.nodes, got.nodes)
	checkSameTable(t, want.holds, got.holds)
	checkSameTable(t, want.requests, got.requests)
	checkSameTable(t, want.requestAges, got.requestAges)
	checkSameTable(t, want.audit, got.audit)
	checkSameTable(t, want.tokens, got.tokens)
}

func checkSameTable[T any](t *testing.T, want, got table[T]) {
	t.Helper()
	if diff := cmp.Diff(records(want), records(got), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func records[T any](of table[T]) []*T { return slices.Collect(of.all("")) }

// Records of an index are those of its table, not copies: a change of one
// would otherwise not be seen in the other, and both would take memory.
func TestSnapshotSharesRecords(t *testing.T) {
	c := newChange(New(), Entry{}, nil)
	policy := filled[Policy](&counted{})
	for _, id := range []string{"a", "b"} {
		c.putDeployment(&Deployment{ID: id, Environment: "production", Commit: id, Ordinal: c.ordinal(), Policy: policy})
	}
	s, err := ReadSnapshot(bytes.NewReader(written(t, c.commit())))
	if err != nil {
		t.Fatal(err)
	}
	a, b := s.Deployment("a"), s.Deployment("b")
	if a.Policy != b.Policy {
		t.Error("one policy became two")
	}
	if s.DeploymentByContent("production", "a", "") != a {
		t.Error("the index by content holds another record")
	}
	if newest := slices.Collect(s.Deployments("production")); newest[0] != b || newest[1] != a {
		t.Error("the index by age holds other records, or in another order")
	}
}

// Files that a release has written are read for ever, with the hash that they
// had then, and mean what they meant.
func TestGoldenSnapshots(t *testing.T) {
	folder := filepath.Join("testdata", "snapshot")
	if *update {
		if err := os.WriteFile(filepath.Join(folder, newestGolden), written(t, populated(2)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.snap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ReadSnapshot(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if hash := s.Hash(); hex.EncodeToString(hash[:]) != goldenHashes[filepath.Base(file)] {
				t.Errorf("the state's hash is %x, it was %s", hash, goldenHashes[filepath.Base(file)])
			}
			if filepath.Base(file) == newestGolden {
				checkSameState(t, populated(2), s)
			}
		})
	}
}

// goldenHashes are the state hashes that the builds computed that wrote the
// files; one that changes would set nodes of two builds against each other.
var goldenHashes = map[string]string{
	"v1.snap": "37394a2bc354138c789852ab8f7c4b619dfd9d4e39f095ff016206f60715937b",
}

func TestSnapshotInfo(t *testing.T) {
	s := populated(2)
	data := written(t, s)
	got, err := ReadSnapshotInfo(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	m := s.Meta()
	want := SnapshotInfo{
		Format: 1, StateFormat: m.Format, ClusterID: m.ClusterID, ClusterName: m.ClusterName,
		Index: m.Index, Term: m.Term, Epoch: m.Epoch, Time: m.Now,
		Records: map[string]uint64{
			"meta": 1, "environment": 2, "deployment": 2, "activation": 2, "bundle": 2,
			"upload": 2, "node": 2, "hold": 2, "request": 2, "audit": 2, "token": 2,
		},
		StateHash: s.Hash(), Size: int64(len(data)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An older format is led to the newest, record by record.
func TestMigrations(t *testing.T) {
	s := populated(1)
	rename := func(kind pb.SnapshotKind, body []byte) ([]byte, error) {
		if kind != pb.SnapshotKind_SNAPSHOT_KIND_HOLD {
			return body, nil
		}
		hold, err := holdCodec.decode(body)
		if err != nil {
			return nil, err
		}
		hold.Reason += ", migrated"
		return holdCodec.encode(hold), nil
	}
	refusing := func(pb.SnapshotKind, []byte) ([]byte, error) { return nil, damaged("not a record of that format") }
	next := snapshotFormats{newest: 3, migrations: map[uint32]migration{1: rename, 2: rename}}
	var reasons []string
	_, err := scanSnapshot(bytes.NewReader(written(t, s)), next, func(kind pb.SnapshotKind, body []byte) error {
		if kind == pb.SnapshotKind_SNAPSHOT_KIND_HOLD {
			hold, err := holdCodec.decode(body)
			reasons = append(reasons, hold.Reason)
			return err
		}
		return nil
	})
	if err != nil || len(reasons) != 1 || reasons[0] != records(s.holds)[0].Reason+", migrated, migrated" {
		t.Errorf("the reasons are %q, the error %v", reasons, err)
	}
	for name, test := range map[string]struct {
		formats snapshotFormats
		want    error
	}{
		"a migration that is gone":  {snapshotFormats{newest: 3, migrations: map[uint32]migration{2: rename}}, ErrSnapshotFormat},
		"a migration that refuses":  {snapshotFormats{newest: 2, migrations: map[uint32]migration{1: refusing}}, ErrSnapshotDamaged},
		"a build that is too old":   {snapshotFormats{newest: 0}, ErrSnapshotFormat},
		"a changed state, old hash": {snapshotFormats{newest: 2, migrations: map[uint32]migration{1: rename}}, ErrSnapshotDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readSnapshot(bytes.NewReader(written(t, s)), test.formats); !errors.Is(err, test.want) {
				t.Errorf("the error is %v, want %v", err, test.want)
			}
		})
	}
}

// A reader's or writer's own error is neither damage nor hidden.
func TestSnapshotReportsErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	data := written(t, populated(1))
	for _, at := range []int{0, 5, 20, len(data) / 2, len(data) - 1} {
		r := io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(broken))
		if _, err := ReadSnapshot(r); !errors.Is(err, broken) || errors.Is(err, ErrSnapshotDamaged) {
			t.Errorf("after %d bytes the error is %v", at, err)
		}
	}
	if _, err := ReadSnapshot(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("after the end the error is %v", err)
	}
	for _, room := range []int{0, 100, len(data) - 1} {
		w := &fullWriter{room: room, err: broken}
		if err := WriteSnapshot(w, populated(1)); !errors.Is(err, broken) {
			t.Errorf("with room for %d bytes the error is %v", room, err)
		}
	}
}

// fullWriter takes room bytes.
type fullWriter struct {
	room int
	err  error
}

func (w *fullWriter) Write(b []byte) (int, error) {
	if n := w.room; len(b) > n {
		w.room = 0
		return n, w.err
	}
	w.room -= len(b)
	return len(b), nil
}
