package node

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/honua-io/honua-gitops/internal/tracing"
)

// The spans of the node half.
const (
	spanStage    = "stage"
	spanActivate = "activate"
	spanVerify   = "verify"
)

// span begins a span of a commit's trace: below that of the leader who asks, if it sends one.
func (n *Node) span(ctx context.Context, name, environment, commit string, more ...attribute.KeyValue) (context.Context, trace.Span) {
	subject := tracing.Subject{ClusterID: n.config.Store.State().Meta().ClusterID, Environment: environment, Commit: commit}
	return n.config.Tracer.Start(subject.Join(ctx), name, subject.Attributes(append(more, attribute.String("honua.node", n.config.NodeID))...))
}

// endSpan ends a span with what stood in the way.
func endSpan(span trace.Span, problems []string) {
	if len(problems) > 0 {
		span.SetStatus(codes.Error, strings.Join(problems, "; "))
	}
	span.End()
}

// activeCommit is what is active in an environment, as far as this node knows.
func (n *Node) activeCommit(environment string) string {
	if env := n.config.Store.State().Environment(environment); env != nil && env.Active != nil {
		return env.Active.Commit
	}
	return ""
}
