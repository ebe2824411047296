package main

import (
	"slices"
	"testing"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
)

func TestDriftNamesWhatDiffers(t *testing.T) {
	clean := view.Environment{
		Name: "production", SyncStatus: "Synced", ActivationIndex: 4, ActiveDigest: "d4", DeployedCommit: "abcdef0123",
		ServedBy: []view.Served{{NodeID: "n1", ActivationIndex: 4, Digest: "d4"}},
	}
	if d := newDrift(clean); d.Drift || len(d.Findings) != 0 {
		t.Errorf("%+v", d)
	}
	drifted := clean
	drifted.SyncStatus, drifted.LatestCommit = "OutOfSync", "0123456789"
	drifted.ServedBy = []view.Served{
		{NodeID: "n1", ActivationIndex: 4, Digest: "d4", Message: "layer cities: gone"},
		{NodeID: "n2", ActivationIndex: 3, Digest: "d3"},
	}
	want := []string{"Git asks for 0123456, deployed is abcdef0", "node n1: layer cities: gone", "node n2 serves activation 3, decided is 4"}
	if d := newDrift(drifted); !d.Drift || !slices.Equal(d.Findings, want) {
		t.Errorf("%q", d.Findings)
	}
}
