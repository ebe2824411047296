package fsm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func (l *lab) save() []byte {
	l.t.Helper()
	var out bytes.Buffer
	if err := fsm.WriteSnapshot(&out, l.state); err != nil {
		l.t.Fatal(err)
	}
	return out.Bytes()
}

// bringBackup uploads a file in parts of a size and returns its digest.
func (l *lab) bringBackup(file []byte, size int) string {
	l.t.Helper()
	sum := sha256.Sum256(file)
	digest := hex.EncodeToString(sum[:])
	parts := slices.Collect(slices.Chunk(file, size))
	for i, part := range parts {
		m := &pb.StoreBackup{UploadId: "u", Digest: digest, Sequence: uint32(i), Total: uint32(len(parts)), Data: part}
		l.ok(l.ask("ann", m))
		l.ok(l.ask("ann", m)) // once more, as after an unknown outcome
	}
	return digest
}

func (l *lab) restore(digest string, force bool) fsm.Result {
	l.t.Helper()
	return l.ask("ann", &pb.RestoreBackup{UploadId: "u", Digest: digest, Force: force, Reason: "a test"})
}

// newRestoreLab is another cluster of the same name, with nodes of its own.
func newRestoreLab(t testing.TB, id, name string) *lab {
	l := empty(t)
	l.ok(l.lead(&pb.InitCluster{ClusterId: id, ClusterName: name, Settings: settings(environment("production", plainPolicy()))}))
	for _, node := range []string{"x", "y"} {
		l.ok(l.lead(&pb.RegisterNode{NodeId: node, Incarnation: node + "1", Voter: true}))
	}
	return l
}

// A restore on an empty cluster brings back history, approvals, audit and what was served, in a new epoch.
func TestRestoreOnAnEmptyCluster(t *testing.T) {
	from := eventful(t)
	saved, file := from.state, from.save()
	l := newRestoreLab(t, "other", "lab")
	r := l.ok(l.restore(l.bringBackup(file, 1000), false))
	got := l.state
	if m := got.Meta(); m.Epoch != 2 || m.ClusterID != "other" || m.Index != l.index {
		t.Fatalf("%+v", m)
	}
	if r.Value != 2 {
		t.Fatalf("%d environments are activated again", r.Value)
	}
	for env := range saved.Environments() {
		now := got.Environment(env.Name)
		if now.Active.Digest != env.Active.Digest || now.Active.Index != env.LastActivation+1 || now.Active.Epoch != 2 || now.Active.Kind != fsm.Restore {
			t.Errorf("I4: %s serves %+v, was %+v", env.Name, now.Active, env.Active)
		}
		for d := range saved.Deployments(env.Name) {
			same := got.Deployment(d.ID)
			if same == nil || len(same.Approvals) != len(d.Approvals) || same.State != d.State && d.State != fsm.Applying {
				t.Errorf("deployment %s became %+v", d.ID, same)
			}
		}
		if now.Active != nil && got.Bundle(now.Active.Digest) == nil {
			t.Errorf("%s lost its content", env.Name)
		}
	}
	if check := fsm.VerifyAudit(got); !check.Intact {
		t.Errorf("I16: the audit chain is broken at %d", check.BrokenAt)
	}
	var cut string
	for a := range got.Audit(0) {
		if a.Action == "cluster.restore" {
			cut = a.Detail
		}
	}
	hash := saved.Hash()
	if !strings.Contains(cut, hex.EncodeToString(hash[:])) || !strings.Contains(cut, "replaced index=") {
		t.Errorf("the audit shows the cut as %q", cut)
	}
	if got.Node("a") != nil || got.Node("x") == nil {
		t.Error("the nodes are not those of the cluster")
	}
	l.replayed()
}

// replayed: the log from its beginning leads to the same state (I11).
func (l *lab) replayed() {
	l.t.Helper()
	s := fsm.New()
	for _, e := range l.history {
		next, _, err := fsm.Apply(s, e)
		if err != nil {
			l.t.Fatal(err)
		}
		s = next
	}
	if s.Hash() != l.state.Hash() {
		l.t.Fatal("I11: a replay has another hash")
	}
	if again, err := fsm.ReadSnapshot(bytes.NewReader(l.save())); err != nil || again.Hash() != l.state.Hash() {
		l.t.Fatalf("I11: a snapshot of it is another state: %v", err)
	}
}

// An environment that the backup's settings do not name is still served: it goes back with the others, and is not at odds
// with its nodes when it is named again.
func TestRestoreTakesBackRetiredEnvironments(t *testing.T) {
	both := settings(environment("production", plainPolicy()), environment("staging", plainPolicy()))
	l := newLab(t)
	l.ok(l.ask("admin", &pb.SetSettings{Settings: both}))
	first := l.deploy("staging", "c1")
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", plainPolicy()))}))
	file := l.save()
	l.ok(l.ask("admin", &pb.SetSettings{Settings: both}))
	l.deploy("staging", "c2")
	highest := l.env("staging").LastActivation
	l.ok(l.restore(l.bringBackup(file, fsm.MaxChunk), false))
	l.ok(l.ask("admin", &pb.SetSettings{Settings: both}))
	if active := l.env("staging").Active; active.DeploymentID != first || active.Index != highest+1 || active.Epoch != 2 {
		t.Errorf("nodes that serve activation %d of epoch 1 are told to serve %+v", highest, active)
	}
	l.replayed()
}

// A running cluster goes back to what it was; what was decided on since is refused (I10), what it has since given out
// is not given out again (I4).
func TestRestoreOnARunningCluster(t *testing.T) {
	l := newLab(t)
	first := l.deploy("production", "c1")
	file := l.save()
	l.deploy("production", "c2")
	second := l.commit("production", "c3")
	l.bring("production", second)
	highest, sequence := l.env("production").LastActivation, l.env("production").Sequence
	early := l.now
	l.advance(minute)
	l.ok(l.restore(l.bringBackup(file, fsm.MaxChunk), false))
	env := l.env("production")
	if env.Active.DeploymentID != first || env.Active.Index != highest+1 || env.Sequence <= sequence || env.Operation != nil {
		t.Fatalf("%+v", env)
	}
	if l.state.Deployment(second) != nil {
		t.Error("what came after the backup is still there")
	}
	l.refused(l.apply(fsm.Header{RequestID: "old", IssuedAt: early, ProposedAt: l.now, Caller: &pb.Caller{Identity: "ann"}},
		&pb.PauseCommand{Environment: "production", Reason: "r"}), fsm.ClassInvalid, "request_too_old")
	l.replayed()
	third := l.deploy("production", "c4")
	l.serves("production", third)
}

// What was under way when the backup was made does not go on.
func TestRestoreEndsWhatWasUnderWay(t *testing.T) {
	l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()))
	l.deploy("production", "c1")
	staged := l.commit("production", "c2")
	l.ok(l.begin("production", staged))
	verified := l.commit("staging", "c1")
	l.bring("staging", verified)
	l.ok(l.restore(l.bringBackup(l.save(), 5000), false))
	l.is(staged, fsm.Failed)
	l.is(verified, fsm.Completed)
	l.serves("staging", verified)
	l.ok(l.ask("ann", &pb.RetryCommand{DeploymentId: staged}))
	l.run("production", staged)
	l.replayed()
}

func TestRestoreRefusals(t *testing.T) {
	foreign := newRestoreLab(t, "other", "elsewhere")
	foreign.ok(foreign.ask("ann", &pb.PauseCommand{All: true, Reason: "r"}))
	namesake := newRestoreLab(t, "other", "lab")
	l := newLab(t)
	l.deploy("production", "c1")
	good := l.save()
	active := l.env("production").Active

	l.refused(l.restore(l.bringBackup(foreign.save(), 5000), false), fsm.ClassPrecondition, "foreign_backup")
	l.refused(l.restore(l.bringBackup(namesake.save(), 5000), false), fsm.ClassPrecondition, "foreign_backup")
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 1
	l.refused(l.restore(l.bringBackup(damaged, 5000), true), fsm.ClassInvalid, "backup_damaged")
	l.refused(l.restore(strings.Repeat("0", 64), true), fsm.ClassAborted, "backup_incomplete")
	digest := l.bringBackup(good, 5000)
	l.refused(l.ask("ann", &pb.RestoreBackup{UploadId: "u", Digest: digest}), fsm.ClassInvalid, "no_reason")
	l.newTerm()
	l.refused(l.restore(digest, true), fsm.ClassAborted, "backup_incomplete")
	l.refused(l.ask("ann", &pb.StoreBackup{UploadId: "u", Digest: digest, Sequence: 1, Total: 2, Data: []byte("x")}), fsm.ClassAborted, "chunk_out_of_order")
	l.refused(l.ask("ann", &pb.StoreBackup{UploadId: "u", Digest: digest, Total: 1 << 20, Data: []byte("x")}), fsm.ClassExhausted, "backup_too_large")
	if l.env("production").Active != active || l.state.Meta().Epoch != 1 {
		t.Fatal("a refused restore changed something")
	}
	if r := l.ok(l.restore(l.bringBackup(foreign.save(), 5000), true)); r.Value != 0 || l.state.Meta().Epoch != 2 {
		t.Fatalf("%+v", r)
	}
}
