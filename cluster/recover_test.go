package cluster

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// What a lost majority leaves goes on with one node; the others join it with empty disks.
func TestRecoverFromALostMajority(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		l.leader().mustPropose("kept")
		l.eventually(5*time.Second, "all have it", func() bool {
			return ms[0].node.Store().State().Index() == l.leader().node.Store().State().Index()
		})
		want := ms[0].node.Store().State()
		for _, m := range ms {
			m.kill()
		}
		log := slog.New(slog.DiscardHandler)
		plan, err := PlanRecovery("a", ms[0].cfg.DataDirectory, log)
		if err != nil || len(plan.Before) != 3 || plan.ClusterID != want.Meta().ClusterID {
			t.Fatalf("%+v, %v", plan, err)
		}
		done, err := Recover("a", ms[0].cfg.DataDirectory, ms[0].cfg.RaftAdvertise, log)
		if err != nil || done.AppliedIndex < want.Index() || done.ClusterID != want.Meta().ClusterID {
			t.Fatalf("%+v, %v", done, err)
		}
		ms[0].start()
		l.settle(ms[0])
		ms[0].mustPropose("alone")
		for _, m := range ms[1:] {
			m.wipe()
			m.start()
		}
		l.settle(ms[:]...)
		l.eventually(time.Minute, "three voters", func() bool {
			return ms[0].suffrage("b") == "voter" && ms[0].suffrage("c") == "voter"
		})
		if _, err := PlanRecovery("a", filepath.Join(l.dir, "nobody"), log); !errors.Is(err, ErrDataDirectory) {
			t.Errorf("an empty directory: %v", err)
		}
	})
}

// An entry that halts every node is passed over once operators name it.
func TestSkip(t *testing.T) {
	directory := t.TempDir()
	a := initialised(t)
	bad := sealed([]byte("?"))
	bad.Index, bad.Term = 2, 1
	got := a.Apply(&bad).(applied)
	if got.err == nil || !strings.Contains(got.err.Error(), "2:"+entryDigest(bad.Data)) {
		t.Fatalf("the node that halts does not name the entry: %v", got.err)
	}
	for _, wrong := range []string{"", "2", "x:" + entryDigest(nil), "0:" + entryDigest(nil), "2:abc"} {
		if err := Skip(directory, wrong); !errors.Is(err, ErrSkip) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := Skip(directory, "7:"+strings.ToUpper(entryDigest([]byte("other")))); err != nil {
		t.Fatal(err)
	}
	if err := Skip(directory, "2:"+entryDigest(bad.Data)); err != nil {
		t.Fatal(err)
	}
	a = initialised(t)
	var err error
	if a.skips, err = readSkips(directory); err != nil || len(a.skips) != 2 {
		t.Fatal(a.skips, err)
	}
	if got := a.Apply(&bad).(applied); got.err != nil || fsm.AsRefusal(got.result.Err()).Reason != "skipped" {
		t.Fatalf("%+v", got)
	}
	if got := a.Apply(entry(t, 3, poll("").Payload)).(applied); got.err != nil {
		t.Fatalf("what follows is not applied: %v", got.err)
	}
	other := sealed([]byte("!"))
	other.Index, other.Term = 7, 1
	if got := a.Apply(&other).(applied); got.err == nil {
		t.Fatal("another entry at that index was passed over")
	}
}
