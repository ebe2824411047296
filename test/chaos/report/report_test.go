package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/test/chaos/check"
	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
)

func evidence() *check.Evidence {
	fault := func(kind plan.Kind, variant string, done bool, term uint64, hit ...string) history.Applied {
		return history.Applied{Fault: plan.Fault{Kind: kind, Variant: variant}, Done: done, Term: term, Hit: hit, From: 2 * time.Second, To: 3 * time.Second}
	}
	digest := strings.Repeat("a1", 32)
	return &check.Evidence{
		Round: history.Round{
			Seed: 7, Length: 12 * time.Second, Environments: []history.Environment{{Name: "a & b"}},
			Leaders: []history.Leader{{At: time.Second, Node: "node1", Term: 2}, {At: 5 * time.Second, Node: "node2", Term: 3}},
		},
		Nodes: []*check.Node{{ID: "node1", State: fsm.New(), Journal: []node.Entry{{Environment: "a & b", Digest: digest, ActivationIndex: 4, Phase: node.Active}}}},
		Polls: []history.Poll{{Node: "node1", Environment: "a & b", Digest: digest, To: time.Second, Count: 5}, {Node: "node1", Environment: "a & b", From: time.Second, To: 2 * time.Second}},
		Calls: []history.Call{{Kind: history.Pause, Called: 1, Returned: time.Second, Outcome: history.Unknown, Error: "<cut>"}},
		Faults: []history.Applied{
			fault(plan.Kill, "one", true, 2, "node1"), fault(plan.Kill, "one", true, 0, "node2"), fault(plan.Window, "before-vote", true, 2, "node1"),
			fault(plan.Power, "one", true, 3, "node2"), fault(plan.Pause, "", false, 0), fault(plan.Window, "after-vote", false, 0, "node1"),
		},
	}
}

func TestLineAndCoverage(t *testing.T) {
	var s Sum
	s.Add(evidence(), &check.Verdict{Acked: 3, Lost: 1, Findings: []check.Finding{{Promise: "I3"}}})
	s.Add(evidence(), &check.Verdict{Acked: 4})
	for _, part := range []string{"seed=7,7 rounds=2 failed=1 kills=4 leader_kills=4", " window=2", " acked=7 ", " lost=1 double=0"} {
		if !strings.Contains(s.Line(), part) {
			t.Errorf("%q is not in %q", part, s.Line())
		}
	}
	missing := s.Missing([]plan.Kind{plan.Kill, plan.Pause, plan.Window}, []string{"before-vote", "after-vote"})
	if want := []string{"pause", "window after-vote"}; !slices.Equal(missing, want) {
		t.Errorf("missing are %v, not %v", missing, want)
	}
	least := map[plan.Kind]int{plan.Kill: 4, plan.Leader: 4, plan.Window: 3, plan.Pause: 1}
	if want, few := []string{"pause 0 of 1", "window 2 of 3"}, s.TooFew(least); !slices.Equal(few, want) {
		t.Errorf("too few are %v, not %v", few, want)
	}
	if got := s.Coverage(); !strings.HasPrefix(got, "      2  power one\n      2  window before-vote\n") {
		t.Error(got)
	}
}

func TestTimelineIsADrawing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "timeline.svg")
	if err := Timeline(evidence(), path); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	bars := 0
	for decoder := xml.NewDecoder(file); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 2+4+2+1 { // leaders, faults that were done, polls, calls
		t.Errorf("%d bars", bars)
	}
}
