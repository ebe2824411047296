package tracing

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"testing"

	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// receiver keeps the spans that it is sent over gRPC.
type receiver struct {
	collector.UnimplementedTraceServiceServer
	spans chan *tracev1.Span
}

// Export takes spans.
func (r *receiver) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans <- span
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func listen(t *testing.T) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r, server := &receiver{spans: make(chan *tracev1.Span, 16)}, grpc.NewServer()
	collector.RegisterTraceServiceServer(server, r)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	return r
}

func config() Config {
	return Config{NodeID: "node1", Version: "1", LookupEnv: os.LookupEnv, Logger: slog.New(slog.DiscardHandler)}
}

// What two nodes do for one commit is one trace below one root, without a word between them.
func TestSpansOfASubjectAreOneTrace(t *testing.T) {
	r := listen(t)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	subject := Subject{ClusterID: "c", Environment: "production", Commit: "abc"}
	for range 2 {
		traces, err := New(t.Context(), config())
		if err != nil {
			t.Fatal(err)
		}
		_, span := traces.Tracer().Start(subject.Join(t.Context()), "activate")
		End(span, errors.New("it failed"))
		subject.StartRoot(t.Context(), traces.Tracer(), "deployment").End()
		if err := traces.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	trace, root := subject.TraceID(), subject.RootID()
	for range 4 {
		span := <-r.spans
		if string(span.GetTraceId()) != string(trace[:]) {
			t.Errorf("%s is of trace %x", span.GetName(), span.GetTraceId())
		}
		switch span.GetName() {
		case "deployment":
			if string(span.GetSpanId()) != string(root[:]) || len(span.GetParentSpanId()) > 0 {
				t.Errorf("the root is %x below %x", span.GetSpanId(), span.GetParentSpanId())
			}
		case "activate":
			if string(span.GetParentSpanId()) != string(root[:]) || span.GetStatus().GetMessage() != "it failed" {
				t.Errorf("%v", span)
			}
		}
	}
}

func TestSubjectsAreToldApart(t *testing.T) {
	seen := map[trace.TraceID]bool{}
	for _, s := range []Subject{{"c", "e", "x"}, {"c", "e", "y"}, {"c", "f", "x"}, {"d", "e", "x"}, {"c", "ex", ""}} {
		if seen[s.TraceID()] || s.TraceID() == (Subject{}).TraceID() {
			t.Errorf("%v has the trace of another", s)
		}
		seen[s.TraceID()] = true
	}
	caller := Subject{"c", "e", "other"}.Context(t.Context())
	if got := trace.SpanContextFromContext(Subject{"c", "e", "x"}.Join(caller)); got.TraceID() != (Subject{"c", "e", "other"}).TraceID() {
		t.Error("the caller's trace is left")
	}
}

func TestProtocolIsChecked(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json")
	if _, err := New(t.Context(), config()); !errors.Is(err, ErrProtocol) {
		t.Errorf("%v", err)
	}
}

func TestNothingIsSentWithout(t *testing.T) {
	var traces *Traces
	_, span := traces.Tracer().Start(t.Context(), "nothing")
	if span.IsRecording() || traces.Enabled() || traces.Close(t.Context()) != nil {
		t.Error("traces are made that nobody asked for")
	}
}

func TestHeartbeatsAreNotTraced(t *testing.T) {
	for method, want := range map[string]bool{"GetNodeStatus": true, "GetStateHash": true, "Stage": false, "ApproveDeployment": false} {
		if heartbeat(method) != want {
			t.Errorf("%s: %v", method, !want)
		}
	}
}
