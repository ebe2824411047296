package web

import (
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
)

func TestSummary(t *testing.T) {
	node, _ := serving(t)
	health := NewHealth(node, after(time.Minute))
	if got, want := health.Summary(), "serving development (activation 1); leader n1"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	node.contact.LeaderID, node.contact.HasQuorum = "", false
	if got, want := health.Summary(), "serving development (activation 1); possibly out of date: no-leader"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	node.serving = nil
	want := "not ready: environment development: activation 1 is not served by this node yet; wait until the node has built it; its log says what holds it back"
	if got := health.Summary(); got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// A cluster that never could read its repository says so first.
func TestSummaryOfAFirstPollThatFails(t *testing.T) {
	cluster := admintest.New(t)
	poll(cluster, "401 Unauthorized")
	health := NewHealth(&testNode{state: cluster.Store().State(), contact: leading()}, after(time.Minute))
	want := "not ready: environment development: the repository cannot be read: 401 Unauthorized"
	if got := health.Summary(); !strings.HasPrefix(got, want) {
		t.Errorf("%q", got)
	}
}
