package main

import (
	"slices"
	"testing"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
)

func TestDriftNamesWhatDiffers(t *testing.T) {
	clean := view.Environment{
		Name: "production", SyncStatus: "Synced", ActivationIndex: 4, ActiveDigest: "d4", DeployedCommit: "abcdef0123",
	}
	n1 := view.NodeDrift{NodeID: "n1", ActivationIndex: 4, Digest: "d4"}
	if d := newDrift(clean, []view.NodeDrift{n1}); d.Drift || len(d.Findings) != 0 {
		t.Errorf("%+v", d)
	}
	drifted := clean
	drifted.SyncStatus, drifted.LatestCommit = "OutOfSync", "0123456789"
	n1.Findings = []view.DriftFinding{
		{Kind: "source", Object: "cities", Message: "gone"},
		{Kind: "file", Object: "/state/production.json", Message: "edited", Corrected: true},
	}
	d := newDrift(drifted, []view.NodeDrift{
		n1, {NodeID: "n2", ActivationIndex: 3, Digest: "d3"}, {NodeID: "n3", ActivationIndex: 4, Digest: "d5"}, {NodeID: "n4", Error: "refused"},
	})
	want := []string{
		"Git asks for 0123456, deployed is abcdef0", "node n1: layer cities: gone", "node n2 serves activation 3, decided is 4",
		"node n3 serves digest d5, decided is d4", "node n4 does not say: refused",
	}
	if !d.Drift || !slices.Equal(d.Findings, want) {
		t.Errorf("%q", d.Findings)
	}
	if !slices.Equal(d.Corrected, []string{"node n1: file /state/production.json: edited"}) {
		t.Errorf("%q", d.Corrected)
	}
}

func TestDriftSaysWhyGitIsAhead(t *testing.T) {
	ahead := view.Environment{SyncStatus: "OutOfSync", LatestCommit: "0123456789", DeployedCommit: "abcdef0123"}
	const base = "Git asks for 0123456, deployed is abcdef0"
	paused, held, waiting := ahead, ahead, ahead
	paused.Pause = &view.Pause{Reason: "census", Actor: "ada"}
	held.Holds = []view.Hold{{Commit: "other", Reason: "no"}, {Commit: ahead.LatestCommit, Reason: "rolled back"}}
	waiting.CurrentDeployment = &view.Deployment{ID: "production-1", Commit: ahead.LatestCommit, State: "AwaitingApproval"}
	for want, e := range map[string]view.Environment{
		base: ahead, base + ": paused by ada since : census": paused, base + ": held: rolled back": held,
		base + ": production-1 is AwaitingApproval": waiting,
	} {
		if d := newDrift(e, nil); !slices.Equal(d.Findings, []string{want}) {
			t.Errorf("%q, not %q", d.Findings, want)
		}
	}
}
