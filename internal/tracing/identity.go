package tracing

import (
	"context"
	"crypto/sha256"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Subject is what a trace is about: one commit of one environment, from the poll that found it to its activation.
type Subject struct {
	// ClusterID tells clusters that follow the same repository apart.
	ClusterID   string
	Environment string
	Commit      string
}

// Every node computes the same identifiers from the subject alone: nothing about traces is replicated, and what a
// node does long after the others, such as an activation that it had missed, still joins the trace.

func (s Subject) hash(kind string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{kind, s.ClusterID, s.Environment, s.Commit}, "\x00")))
}

// TraceID is the trace of the subject.
func (s Subject) TraceID() (id trace.TraceID) {
	sum := s.hash("trace")
	copy(id[:], sum[:])
	return id
}

// RootID is the span that all others of the subject are below.
func (s Subject) RootID() (id trace.SpanID) {
	sum := s.hash("root")
	copy(id[:], sum[:])
	return id
}

// Context is one whose spans are directly below the subject's root.
func (s Subject) Context(ctx context.Context) context.Context {
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: s.TraceID(), SpanID: s.RootID(), TraceFlags: trace.FlagsSampled, Remote: true,
	}))
}

// Join is Context, unless the caller brought its own span: it then knows more.
func (s Subject) Join(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	return s.Context(ctx)
}

// Attributes are those that every span of the subject has, and more.
func (s Subject) Attributes(more ...attribute.KeyValue) trace.SpanStartEventOption {
	return trace.WithAttributes(append(more, attribute.String("honua.environment", s.Environment), attribute.String("honua.commit", s.Commit))...)
}

type rootKey struct{}

// StartRoot begins the span that all others are below. It begins at the time that the options say.
func (s Subject) StartRoot(ctx context.Context, tracer trace.Tracer, name string, options ...trace.SpanStartOption) trace.Span {
	_, span := tracer.Start(context.WithValue(ctx, rootKey{}, s), name, append(options, trace.WithNewRoot())...)
	return span
}
