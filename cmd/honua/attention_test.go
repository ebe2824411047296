package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
)

// What is wrong is said in the terms of who has to mend it.
func TestAttentionWithoutALeader(t *testing.T) {
	server := []view.Server{{ID: "node1", Voter: true, Healthy: true}}
	for _, tt := range []struct {
		name           string
		status         view.ClusterStatus
		line, remedies string
	}{
		{"before there is a cluster", view.ClusterStatus{NodeID: "node1"}, "NO CLUSTER YET: node1 belongs to none", "as many nodes as their Cluster.BootstrapExpect says"},
		{"a quorum lost", view.ClusterStatus{NodeID: "node1", Quorum: 2, Servers: server}, "NO LEADER: 2 voters have to reach each other", "start nodes until 2 voters reach each other"},
	} {
		var line bytes.Buffer
		leaderLine(&line, tt.status)
		if !strings.HasPrefix(line.String(), tt.line) {
			t.Errorf("%s: %q", tt.name, line.String())
		}
		if found := attention(overview{Cluster: tt.status}); len(found) != 1 || !strings.Contains(found[0], tt.remedies) {
			t.Errorf("%s: %q", tt.name, found)
		}
	}
}
