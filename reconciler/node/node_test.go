package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func journalPhases(t *testing.T, content []byte) []string {
	t.Helper()
	var phases []string
	for line := range bytes.Lines(content) {
		e, err := ParseEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s %d", e.Phase, e.ActivationIndex)
		if e.Recovered {
			text += " recovered"
		}
		phases = append(phases, text)
	}
	return phases
}

func wantPhases(t *testing.T, l *lab, want ...string) {
	t.Helper()
	if got := l.phases(); !slices.Equal(got, want) {
		t.Errorf("the journal says %q, not %q", got, want)
	}
}

// One activation, staged and served; after a restart it is resumed from disk
// before anything is heard of the cluster, and that is no activation (I2, I14).
func TestActivateAndResume(t *testing.T) {
	l := newLab(t)
	n := l.open()
	stop := l.run(n)
	l.begin("points.geojson", "cities")
	answer, err := n.Stage(t.Context(), l.question())
	if err != nil || !answer.GetAccepted() || answer.GetServices() != 1 {
		t.Fatal(answer, err)
	}
	if again, err := n.Stage(t.Context(), l.question()); err != nil || again != answer {
		t.Errorf("asked again, the answer is %v, %v", again, err)
	}
	l.activate()
	l.awaitServing(n, 1)
	verified, err := n.Verify(t.Context(), &pb.VerifyRequest{
		Environment: labEnvironment, ActivationIndex: 1, Digest: l.environment().Active.Digest, Index: l.index,
	})
	if err != nil || !verified.GetServed() || verified.GetFailed() {
		t.Error(verified, err)
	}
	l.finish()
	stop()
	wantPhases(t, l, "Intent 1", "Active 1")

	l.caughtUp.Store(false)
	n = l.open()
	if digest, ok := l.registry.Digest(labEnvironment); !ok || digest != l.environment().Active.Digest {
		t.Errorf("serves %s, %v before raft is up", digest, ok)
	}
	stop = l.run(n)
	l.caughtUp.Store(true)
	l.begin("points.geojson", "cities", "towns")
	l.activate()
	l.awaitServing(n, 2)
	stop()
	wantPhases(t, l, "Intent 1", "Active 1", "Resumed 1", "Intent 2", "Active 2")
}

// The process ended between Intent and Active: the next life closes it as
// recovered and activates nothing twice (I2).
func TestIntentWithoutActiveIsRecovered(t *testing.T) {
	l := newLab(t)
	n := l.open()
	l.begin("points.geojson", "cities")
	if answer, err := n.Stage(t.Context(), l.question()); err != nil || !answer.GetAccepted() {
		t.Fatal(answer, err)
	}
	l.activate()
	active := l.environment().Active
	intent := Entry{
		Time: n.timestamp(), Incarnation: "i1", Epoch: active.Epoch, Environment: labEnvironment,
		ActivationIndex: active.Index, Term: 1, Deployment: active.DeploymentID, Commit: active.Commit, Digest: active.Digest, Phase: Intent,
	}
	if err := n.journal.Append(intent); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = l.open()
	stop := l.run(n)
	l.awaitServing(n, 1)
	stop()
	wantPhases(t, l, "Intent 1", "Resumed 1 recovered")
}

// What raft replays is not acted on; only the newest state counts (I1).
func TestOnlyTheNewestStateIsActivated(t *testing.T) {
	l := newLab(t)
	for i := range 3 {
		l.begin("points.geojson", fmt.Sprintf("layer%d", i))
		l.activate()
		l.finish()
	}
	n := l.open()
	stop := l.run(n)
	l.awaitServing(n, 3)
	stop()
	wantPhases(t, l, "Intent 3", "Active 3")
}

// A content whose file was damaged on disk is taken from the state again.
func TestDamagedContentIsRepaired(t *testing.T) {
	l := newLab(t)
	n := l.open()
	stop := l.run(n)
	l.begin("points.geojson", "cities")
	l.activate()
	l.awaitServing(n, 1)
	stop()
	damage(t, n.bundles.path(l.environment().Active.Digest), 2)
	n = l.open()
	if _, ok := l.registry.Digest(labEnvironment); ok {
		t.Error("a damaged content is served")
	}
	stop = l.run(n)
	l.awaitServing(n, 1)
	stop()
	wantPhases(t, l, "Intent 1", "Active 1", "Resumed 1")
}

func TestStageRejectsWhatCannotBeServed(t *testing.T) {
	l := newLab(t)
	n := l.open()
	stop := l.run(n)
	defer stop()
	l.begin("nowhere.geojson", "cities")
	answer, err := n.Stage(t.Context(), l.question())
	if err != nil || answer.GetAccepted() || len(answer.GetProblems()) != 1 {
		t.Fatal(answer, err)
	}
	for _, part := range []string{"datasources.json:1:", "nowhere.geojson", "cities"} {
		if !strings.Contains(answer.GetProblems()[0], part) {
			t.Errorf("%q does not name %s", answer.GetProblems()[0], part)
		}
	}
	if _, ok := l.registry.Digest(labEnvironment); ok {
		t.Error("a rejected content is served")
	}
}

// State files are views: they follow the state, and an edit does not stay.
func TestStateFile(t *testing.T) {
	l := newLab(t)
	n := l.open()
	stop := l.run(n)
	defer stop()
	l.deploy(n)
	path := filepath.Join(l.dir, "state", labEnvironment+".json")
	read := func() stateFile {
		var file stateFile
		content, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(content, &file)
		}
		if err != nil {
			return stateFile{}
		}
		return file
	}
	eventually(t, func() bool {
		f := read()
		return f.CurrentDeployment != nil && f.CurrentDeployment.State == "Completed"
	})
	file := read()
	if file.Health != "Healthy" || file.DeployedCommit != "b" || len(file.History) != 1 || len(file.CurrentDeployment.StateHistory) < 4 {
		t.Errorf("%+v", file)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.begin("points.geojson", "cities", "towns")
	eventually(t, func() bool { return read().Environment == labEnvironment })
}

// A file that cannot be written is told of until it can be, and the node goes on.
func TestUnwrittenFileIsToldOf(t *testing.T) {
	l := newLab(t)
	n := l.open()
	stop := l.run(n)
	defer stop()
	l.deploy(n)
	folder := filepath.Join(l.dir, "state")
	path := filepath.Join(folder, labEnvironment+".json")
	eventually(t, func() bool { _, err := os.Stat(path); return err == nil })
	if err := errors.Join(os.Rename(folder, folder+".away"), os.WriteFile(folder, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	l.begin("points.geojson", "cities", "towns")
	eventually(t, func() bool { return n.Unwritten() == "write "+path+": not a directory" })
	answer, err := n.GetNodeStatus(t.Context(), &pb.GetNodeStatusRequest{})
	if err != nil || len(answer.GetWarnings()) != 1 || !strings.Contains(answer.GetWarnings()[0], path) || !answer.GetServes()[0].GetHealthy() {
		t.Errorf("%v, %v", answer, err)
	}
	if err := errors.Join(os.Remove(folder), os.Rename(folder+".away", folder)); err != nil {
		t.Fatal(err)
	}
	l.activate()
	eventually(t, func() bool { return n.Unwritten() == "" })
}

// eventually waits for something that happens on another goroutine and has no
// channel of its own.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	ctx := t.Context()
	for range int(within / caughtUpInterval) {
		if holds() {
			return
		}
		sleep(ctx, caughtUpInterval)
	}
	t.Fatalf("it does not hold after %v", within)
}
