package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// observed is a node's metrics with one of everything counted.
func observed(t *testing.T) (*Server, *Metrics) {
	t.Helper()
	node, _ := serving(t)
	server, metrics := newTestServer(t, node, after(time.Minute))
	metrics.ObserveRequest(Request{Route: "items", Environment: "development", Collection: "roads", Method: "GET", Status: 200, Duration: 3 * time.Millisecond})
	metrics.ObserveRequest(Request{Route: "items", Environment: "development", Collection: "roads", Method: "GET", Status: 200, Aborted: true})
	metrics.ObservePoll("main", "", 3*time.Millisecond)
	metrics.ObservePoll("main", "repository_unavailable", time.Second)
	metrics.ObserveFetch("main", "", 30*time.Millisecond)
	for _, c := range []prometheus.Collector{NewGroupCollector(testGroup), NewMachineCollector(testMachine()), NewBackupCollector(testBackups)} {
		if err := metrics.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	return server, metrics
}

func testBackups() *Backups {
	return &Backups{Interval: time.Hour, LastSuccess: time.Unix(1_700_000_000, 0), Saved: 3, Failed: 1, Size: 4096}
}

// Backups are counted by what became of them, and the newest one has its time.
func TestBackupMetrics(t *testing.T) {
	want := `
# HELP honua_backup_attempts_total Scheduled backups that this node made or failed to make, by result.
# TYPE honua_backup_attempts_total counter
honua_backup_attempts_total{result="failed"} 1
honua_backup_attempts_total{result="saved"} 3
# HELP honua_backup_last_success_timestamp_seconds Unix time of the newest backup in this node's directory; 0 if there is none.
# TYPE honua_backup_last_success_timestamp_seconds gauge
honua_backup_last_success_timestamp_seconds 1.7e+09
`
	names := []string{"honua_backup_attempts_total", "honua_backup_last_success_timestamp_seconds"}
	if err := testutil.CollectAndCompare(NewBackupCollector(testBackups), strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(NewBackupCollector(func() *Backups { return nil })); n != 0 {
		t.Errorf("a node without backups has %d series", n)
	}
}

// The names, labels and types are what alert rules and dashboards rely on.
func TestMetricsOfANode(t *testing.T) {
	server, metrics := observed(t)
	answer := request(server, http.MethodGet, "/metrics")
	status200(t, answer)
	var lines []string
	for _, registry := range []prometheus.Gatherer{metrics.registry, delivered(t, rolledBack(t))} {
		lines = append(lines, described(t, registry)...)
	}
	slices.Sort(lines)
	compare(t, "metrics.txt", []byte(strings.Join(slices.Compact(lines), "\n")+"\n"))
}

// described are the metrics of the program itself: name, labels, type.
func described(t *testing.T, registry prometheus.Gatherer) (lines []string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "honua_") {
			continue
		}
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		var names []string
		for l := range labels {
			names = append(names, l)
		}
		sort.Strings(names)
		lines = append(lines, f.GetName()+"{"+strings.Join(names, ",")+"} "+strings.ToLower(f.GetType().String()))
	}
	return lines
}

// OpenMetrics would add _total to the names that alert rules name without it.
func TestCountersKeepTheirNamesForEveryScraper(t *testing.T) {
	server, _ := observed(t)
	scrape := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	scrape.Header.Set("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
	answer := httptest.NewRecorder()
	server.Handler().ServeHTTP(answer, scrape)
	if !strings.Contains(answer.Body.String(), "\nhonua_gitops_reconciliations_success{") {
		t.Errorf("%s", answer.Header().Get("Content-Type"))
	}
}

func TestValuesOfTheReplicatedState(t *testing.T) {
	_, metrics := observed(t)
	want := `
# HELP honua_gitops_approval_timeout Deployments that nobody approved in time.
# TYPE honua_gitops_approval_timeout counter
honua_gitops_approval_timeout{environment="development"} 0
honua_gitops_approval_timeout{environment="production"} 0
# HELP honua_gitops_deployments_awaiting_approval Deployments that wait for approval.
# TYPE honua_gitops_deployments_awaiting_approval gauge
honua_gitops_deployments_awaiting_approval{environment="development"} 0
honua_gitops_deployments_awaiting_approval{environment="production"} 1
# HELP honua_gitops_deployments_pending Deployments that wait for a window, a pause or their turn.
# TYPE honua_gitops_deployments_pending gauge
honua_gitops_deployments_pending{environment="development"} 0
honua_gitops_deployments_pending{environment="production"} 0
# HELP honua_gitops_oldest_pending_approval_age_seconds How long the oldest deployment that awaits approval has waited; 0 if none does.
# TYPE honua_gitops_oldest_pending_approval_age_seconds gauge
honua_gitops_oldest_pending_approval_age_seconds{environment="development"} 0
honua_gitops_oldest_pending_approval_age_seconds{environment="production"} 58
# HELP honua_gitops_reconciliations_success Reconciliation attempts that succeeded.
# TYPE honua_gitops_reconciliations_success counter
honua_gitops_reconciliations_success{environment="development"} 2
honua_gitops_reconciliations_success{environment="production"} 1
# HELP honua_gitops_served_activation_index Activation index that a node is known to serve.
# TYPE honua_gitops_served_activation_index gauge
honua_gitops_served_activation_index{environment="development",node="n1"} 1
# HELP honua_raft_is_leader 1 on the node that leads.
# TYPE honua_raft_is_leader gauge
honua_raft_is_leader 1
# HELP honua_git_errors_total Polls and fetches that failed, by code.
# TYPE honua_git_errors_total counter
honua_git_errors_total{branch="main",code="repository_unavailable",operation="poll"} 1
`
	var names []string
	for line := range strings.Lines(want) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(name)[0])
		}
	}
	if err := testutil.GatherAndCompare(metrics.registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestDurationsAreCumulativeSeconds(t *testing.T) {
	cluster := admintest.New(t)
	id := cluster.Create("development", "roads")
	cluster.Stage("development", id)
	cluster.Advance(3 * time.Second)
	cluster.Finish("development")
	node := &testNode{state: cluster.Store().State(), contact: leading()}
	metrics := prometheus.NewPedanticRegistry()
	if err := metrics.Register(newDeploymentCollector(node, after(0))); err != nil {
		t.Fatal(err)
	}
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "honua_gitops_reconciliation_duration" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() != "development" || m.GetLabel()[1].GetValue() != "success" {
				continue
			}
			h := m.GetHistogram()
			if h.GetSampleCount() != 1 || h.GetSampleSum() != 3 {
				t.Errorf("%d samples, %v s", h.GetSampleCount(), h.GetSampleSum())
			}
			for _, b := range h.GetBucket() {
				if want := uint64(truth(b.GetUpperBound() >= 3)); b.GetCumulativeCount() != want {
					t.Errorf("bucket %v holds %d", b.GetUpperBound(), b.GetCumulativeCount())
				}
			}
			return
		}
	}
	t.Error("no histogram")
}

// Every name follows the conventions, but those that existing rules prescribe.
func TestMetricsLint(t *testing.T) {
	_, metrics := observed(t)
	problems, err := testutil.GatherAndLint(metrics.registry)
	if err != nil {
		t.Fatal(err)
	}
	prescribed := []string{"honua_gitops_reconciliations_success", "honua_gitops_reconciliations_failure", "honua_gitops_approval_timeout"}
	for _, p := range problems {
		if !slices.Contains(prescribed, p.Metric) || !strings.Contains(p.Text, "_total") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// An environment with very many layers does not make as many series.
func TestCollectionsAreBounded(t *testing.T) {
	_, metrics := observed(t)
	for i := range 2 * countedCollections {
		metrics.ObserveRequest(Request{Collection: strings.Repeat("x", i+1), Status: 200})
	}
	if n := testutil.CollectAndCount(metrics.requests.collection); n != countedCollections+1 {
		t.Errorf("%d series", n)
	}
}

// A freeze shows on every environment, a hold on its own.
func TestPausedAndHeld(t *testing.T) {
	cluster := admintest.New(t)
	id := cluster.Create("production", "roads")
	cluster.Call(&pb.Payload{Command: &pb.Payload_Reject{Reject: &pb.RejectCommand{DeploymentId: id, Reason: "r"}}})
	cluster.Call(&pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{All: true, Reason: "r"}}})
	collector := newDeploymentCollector(&testNode{state: cluster.Store().State(), contact: leading()}, after(0))
	want := `
# HELP honua_gitops_holds Contents that are kept from being deployed.
# TYPE honua_gitops_holds gauge
honua_gitops_holds{environment="development"} 0
honua_gitops_holds{environment="production"} 1
# HELP honua_gitops_paused 1 while nothing new is applied, by a pause or a freeze.
# TYPE honua_gitops_paused gauge
honua_gitops_paused{environment="development"} 1
honua_gitops_paused{environment="production"} 1
`
	if err := testutil.CollectAndCompare(collector, strings.NewReader(want), "honua_gitops_holds", "honua_gitops_paused"); err != nil {
		t.Error(err)
	}
}
