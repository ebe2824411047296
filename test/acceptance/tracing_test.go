//go:build unix

package acceptance

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/honua-io/honua-gitops/internal/tracing"
	"github.com/honua-io/honua-gitops/test/harness"
)

// receivedSpan is a span and the node that sent it.
type receivedSpan struct {
	*tracev1.Span
	node string
}

// traceReceiver takes OTLP over HTTP.
type traceReceiver struct {
	mu    sync.Mutex
	spans []receivedSpan
}

// ServeHTTP takes spans.
func (r *traceReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var sent collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil || request.URL.Path != "/v1/traces" {
		http.Error(w, fmt.Sprint(request.URL, err), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range sent.GetResourceSpans() {
		node := ""
		for _, a := range resource.GetResource().GetAttributes() {
			if a.GetKey() == "service.instance.id" {
				node = a.GetValue().GetStringValue()
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans = append(r.spans, receivedSpan{span, node})
			}
		}
	}
}

// trace returns the spans of a trace.
func (r *traceReceiver) trace(id [16]byte) (spans []receivedSpan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if string(s.GetTraceId()) == string(id[:]) {
			spans = append(spans, s)
		}
	}
	return spans
}

// nodes are those that sent something.
func (r *traceReceiver) nodes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	for _, s := range r.spans {
		seen[s.node] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// What a commit goes through is one trace, from the poll that finds it to the nodes that serve it; a node that was not
// asked for traces sends none.
func TestTracesAcrossNodes(t *testing.T) {
	receiver := &traceReceiver{}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	c := harness.Start(t, harness.Options{Nodes: 4, Adjust: func(n *harness.Node, settings harness.Section) {
		settings["GitOps"].(harness.Section)["EnableTracing"] = n.ID != "node4"
	}})
	if leader := c.Leader(); leader.ID == "node4" {
		c.CLI("cluster", "transfer-leader", "node1").Expect(t, 0)
		harness.Eventually(t, harness.StartWithin, func() error {
			if now, err := c.FindLeader(t.Context()); err != nil || now.ID != "node1" {
				return fmt.Errorf("%v leads: %v", now, err)
			}
			return nil
		})
	}
	commit := c.Repo.AddLayer(development, "traced")
	c.AwaitServed(development, commit)
	status, err := c.Leader().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	subject := tracing.Subject{ClusterID: status.GetClusterId(), Environment: development, Commit: commit}
	want := map[string]int{
		"poll": 1, "read": 1, "check": 1, "upload": 1, "create": 1, "begin staging": 1, "ask to stage": 4, "stage": 3,
		"decide to activate": 1, "activate": 3, "ask to verify": 4, "verify": 3, "deployment": 1,
	}
	harness.Eventually(t, harness.DeployWithin, func() error { return complete(receiver.trace(subject.TraceID()), want, subject.RootID()) })
	if nodes := receiver.nodes(); !slices.Equal(nodes, []string{"node1", "node2", "node3"}) {
		t.Errorf("%v sent traces", nodes)
	}
}

// complete checks that a trace has its spans, and that each is below another one of it.
func complete(spans []receivedSpan, want map[string]int, root [8]byte) error {
	ids, found, calls := map[string]bool{}, map[string]map[string]bool{}, 0
	for _, s := range spans {
		ids[string(s.GetSpanId())] = true
		if found[s.GetName()] == nil {
			found[s.GetName()] = map[string]bool{}
		}
		found[s.GetName()][hex.EncodeToString(s.GetSpanId())] = true
		if strings.Contains(s.GetName(), "NodeService/") {
			calls++
		}
	}
	for name, count := range want {
		if len(found[name]) < count {
			return fmt.Errorf("%d spans %q, not %d: %v", len(found[name]), name, count, slices.Sorted(maps.Keys(found)))
		}
	}
	for _, s := range spans {
		parent := s.GetParentSpanId()
		if isRoot := string(s.GetSpanId()) == string(root[:]); isRoot != (len(parent) == 0) || !isRoot && !ids[string(parent)] {
			return fmt.Errorf("%s of %s is below nothing", s.GetName(), s.node)
		}
	}
	if calls == 0 {
		return fmt.Errorf("the calls between the nodes are missing: %v", slices.Sorted(maps.Keys(found)))
	}
	return nil
}
