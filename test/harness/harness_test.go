package harness

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/node"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestBlocksOfPortsDoNotMeet(t *testing.T) {
	taken := map[int]bool{}
	for range 20 {
		base := TakePorts(t).Base()
		if taken[base] {
			t.Fatalf("%d was given away twice", base)
		}
		taken[base] = true
	}
}

func TestAwaitReturnsTheLastError(t *testing.T) {
	calls := 0
	err := Await(t.Context(), 3*pollEvery, func() error {
		calls++
		return errors.New("not yet")
	})
	if err == nil || !strings.Contains(err.Error(), "not yet") || calls < 2 {
		t.Fatalf("%v after %d calls", err, calls)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Await(canceled, time.Hour, func() error { return errors.New("not yet") }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestProcessesEnd(t *testing.T) {
	start := func(script string) *Process {
		p, err := StartProcess(exec.Command("sh", "-c", script), filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		return p
	}
	patient := start("exec sleep 60")
	if err := patient.Stop(syscall.SIGTERM); err == nil || patient.Running() {
		t.Errorf("ended by a signal: %v, running %v", err, patient.Running())
	}
	patient.Kill() // a second end is harmless
	if err := start("exit 0").Stop(0); err != nil {
		t.Error(err)
	}
	if _, err := StartProcess(exec.Command("/no/such/program"), filepath.Join(t.TempDir(), "out")); err == nil {
		t.Error("started what is not there")
	}
}

// The check has to notice what it is there for.
func TestCheckJournalFindsBrokenPromises(t *testing.T) {
	committed := []*pb.Activation{{Index: 1, Digest: "a"}, {Index: 4, Digest: "b"}, {Index: 7, Digest: "c"}}
	entry := func(index uint64, digest string, phase node.Phase) node.Entry {
		return node.Entry{Incarnation: "i", Epoch: 1, Environment: "e", ActivationIndex: index, Digest: digest, Phase: phase}
	}
	whole := func(index uint64, digest string) []node.Entry {
		return []node.Entry{entry(index, digest, node.Intent), entry(index, digest, node.Active)}
	}
	resumed := []node.Entry{entry(1, "a", node.Resumed)}
	tests := []struct {
		name    string
		journal []node.Entry
		broken  string
	}{
		{"all", slices.Concat(whole(1, "a"), whole(4, "b"), whole(7, "c")), ""},
		{"one left out, one resumed", slices.Concat(whole(1, "a"), resumed, whole(7, "c")), ""},
		{"twice", slices.Concat(whole(1, "a"), whole(1, "a")), "I2"},
		{"without an intent", slices.Concat(whole(1, "a"), whole(4, "b")[1:]), "I2"},
		{"backwards", slices.Concat(whole(4, "b"), whole(1, "a")), "I1"},
		{"never decided", []node.Entry{entry(5, "b", node.Intent)}, "I1"},
		{"other content", []node.Entry{entry(4, "c", node.Resumed)}, "I1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := CheckJournal(test.journal, "e", committed)
			if test.broken == "" && err != nil || test.broken != "" && (err == nil || !strings.HasPrefix(err.Error(), test.broken)) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := CheckJournal(nil, "e", []*pb.Activation{{Index: 4}, {Index: 4}}); err == nil {
		t.Error("I4: equal indexes were not noticed")
	}
}
