// Package tracing sends OpenTelemetry traces over OTLP. Where they go is said by OpenTelemetry's own environment
// variables, such as OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc/stats"
)

// scope is the name under which all spans are made.
const scope = "github.com/honua-io/honua-gitops"

// ErrProtocol says that OTEL_EXPORTER_OTLP_PROTOCOL names none that is spoken.
var ErrProtocol = errors.New("OTEL_EXPORTER_OTLP_PROTOCOL: grpc and http/protobuf are possible")

// Config says who sends.
type Config struct {
	NodeID, Version string
	// LookupEnv reads an environment variable.
	LookupEnv func(name string) (string, bool)
	Logger    *slog.Logger
}

// Traces makes spans and sends them. The zero value makes none.
type Traces struct {
	provider *sdk.TracerProvider
}

// New begins to send. It connects to nothing: a receiver that is away costs its spans and a line in the log.
func New(ctx context.Context, c Config) (*Traces, error) {
	exporter, err := newExporter(ctx, c)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "honua"), attribute.String("service.instance.id", c.NodeID), attribute.String("service.version", c.Version),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	// The library reports what goes wrong while it sends through this one handler of the process.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { c.Logger.Warn("traces were not sent", "error", err) }))
	return &Traces{provider: sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about), sdk.WithIDGenerator(identifiers{}))}, nil
}

func newExporter(ctx context.Context, c Config) (sdk.SpanExporter, error) {
	protocol, _ := c.LookupEnv("OTEL_EXPORTER_OTLP_PROTOCOL")
	if only, ok := c.LookupEnv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"); ok {
		protocol = only
	}
	switch protocol {
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	default:
		return nil, fmt.Errorf("%w, not %q", ErrProtocol, protocol)
	}
}

func (t *Traces) tracers() trace.TracerProvider {
	if t == nil || t.provider == nil {
		return noop.NewTracerProvider()
	}
	return t.provider
}

// Tracer makes spans.
func (t *Traces) Tracer() trace.Tracer { return t.tracers().Tracer(scope) }

// Enabled reports whether there are any.
func (t *Traces) Enabled() bool { return t != nil && t.provider != nil }

// Server is what a gRPC server tells about its calls, Client what a connection to another node does.
func (t *Traces) Server() stats.Handler { return otelgrpc.NewServerHandler(t.grpcOptions()...) }

// Client continues the caller's trace at another node.
func (t *Traces) Client() stats.Handler { return otelgrpc.NewClientHandler(t.grpcOptions()...) }

func (t *Traces) grpcOptions() []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(t.tracers()), otelgrpc.WithPropagators(propagation.TraceContext{}),
		otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool { return !heartbeat(path.Base(info.FullMethodName)) }),
	}
}

// heartbeat: nodes ask each other that every second or so, for as long as they run.
func heartbeat(method string) bool {
	switch method {
	case "GetNodeStatus", "GetStateHash", "GetPeerState", "Check", "Watch":
		return true
	}
	return false
}

// Close sends what is left, within the context.
func (t *Traces) Close(ctx context.Context) error {
	if !t.Enabled() {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// End ends a span with an outcome.
func End(span trace.Span, err error, options ...trace.SpanEndOption) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End(options...)
}

// None makes no spans.
func None() trace.Tracer { return noop.NewTracerProvider().Tracer(scope) }
