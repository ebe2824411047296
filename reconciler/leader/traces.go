package leader

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/internal/tracing"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// The spans of the leader half. The node half has its own of what it is asked.
const (
	spanDeployment = "deployment"
	spanRollback   = "rollback"
	spanPoll       = "poll"
	spanRead       = "read"
	spanCheck      = "check"
	spanUpload     = "upload"
	spanStage      = "ask to stage"
	spanVerify     = "ask to verify"
)

// subject is whose trace a commit belongs to.
func (t *tenure) subject(environment, commit string) tracing.Subject {
	return tracing.Subject{ClusterID: t.Store.State().Meta().ClusterID, Environment: environment, Commit: commit}
}

// span begins a span of a commit's trace.
func (t *tenure) span(ctx context.Context, name, environment, commit string, more ...attribute.KeyValue) (context.Context, trace.Span) {
	subject := t.subject(environment, commit)
	return t.Tracer.Start(subject.Context(ctx), name, subject.Attributes(more...))
}

// askSpan begins the span of a question to a node.
func (t *tenure) askSpan(ctx context.Context, state *fsm.State, q Question) (context.Context, trace.Span) {
	name := spanStage
	if q.Verify {
		name = spanVerify
	}
	_, commit, _ := commitUnderWay(state, q.Environment)
	return t.span(ctx, name, q.Environment, commit, attribute.String("honua.node", q.Node))
}

// traceReading sends how a commit was found, fetched and read, and checked.
func (p *poller) traceReading(ctx context.Context, request gitsync.Request, begun, ended time.Time, found Finding) {
	past := func(name string, begun, ended time.Time, err error, more ...attribute.KeyValue) {
		subject := p.subject(request.Environment, request.Commit)
		_, span := p.Tracer.Start(subject.Context(ctx), name, trace.WithTimestamp(begun), subject.Attributes(more...))
		tracing.End(span, err, trace.WithTimestamp(ended))
	}
	past(spanPoll, p.begun, p.answered, nil)
	past(spanRead, begun, ended, found.Err)
	if c := found.Candidate; found.Reading != nil && c != nil {
		past(spanCheck, ended, time.Now(), nil, attribute.String("honua.digest", c.Digest), attribute.StringSlice("honua.problems", bounded(c.Problems)))
	}
}

// decisionOf names a proposal that belongs to a commit's trace; ok is false for others.
func (t *tenure) decisionOf(p *pb.Payload) (name, environment, commit string, ok bool) {
	switch c := p.GetCommand().(type) {
	case *pb.Payload_CreateDeployment:
		return "create", c.CreateDeployment.GetEnvironment(), c.CreateDeployment.GetCommit(), true
	case *pb.Payload_BeginStaging:
		d := t.Store.State().Deployment(c.BeginStaging.GetDeploymentId())
		if d == nil {
			return "", "", "", false
		}
		return "begin staging", d.Environment, d.Commit, true
	case *pb.Payload_RecordStaging:
		name, environment = "record staging", c.RecordStaging.GetEnvironment()
	case *pb.Payload_Activate:
		name, environment = "decide to activate", c.Activate.GetEnvironment()
	case *pb.Payload_FinishDeployment:
		name, environment = "finish", c.FinishDeployment.GetEnvironment()
	default:
		return "", "", "", false
	}
	_, commit, ok = commitUnderWay(t.Store.State(), environment)
	return name, environment, commit, ok
}

// commitUnderWay is what is under way in an environment, and the commit that it is about.
func commitUnderWay(state *fsm.State, environment string) (op *fsm.Operation, commit string, ok bool) {
	env := state.Environment(environment)
	if env == nil || env.Operation == nil {
		return nil, "", false
	}
	target := state.Deployment(env.Operation.TargetID)
	if target == nil {
		return nil, "", false
	}
	return env.Operation, target.Commit, true
}

// traced proposes, and sends the span of the whole once it has ended with it.
func (t *tenure) traced(ctx context.Context, payload *pb.Payload) (fsm.Result, error) {
	name, environment, commit, ok := t.decisionOf(payload)
	if !ok {
		return t.Proposer.Propose(ctx, t.term, payload)
	}
	before, _, _ := commitUnderWay(t.Store.State(), environment)
	ctx, span := t.span(ctx, name, environment, commit)
	result, err := t.Proposer.Propose(ctx, t.term, payload)
	tracing.End(span, errors.Join(err, result.Err()))
	if err == nil {
		t.traceEnd(ctx, environment, commit, before)
	}
	return result, err
}

// traceEnd sends the span of an operation that is over now.
func (t *tenure) traceEnd(ctx context.Context, environment, commit string, before *fsm.Operation) {
	state := t.Store.State()
	if now, _, _ := commitUnderWay(state, environment); before == nil || now != nil && now.ID == before.ID {
		return
	}
	d := state.Deployment(before.DeploymentID)
	if d == nil {
		return
	}
	about := t.subject(environment, d.Commit).Attributes(attribute.String("honua.deployment", d.ID), attribute.String("honua.state", d.State.String()))
	var span trace.Span
	if before.TargetID == before.DeploymentID {
		span = t.subject(environment, commit).StartRoot(ctx, t.Tracer, spanDeployment, trace.WithTimestamp(time.UnixMilli(d.Created)), about)
	} else {
		_, span = t.Tracer.Start(t.subject(environment, commit).Context(ctx), spanRollback, trace.WithTimestamp(time.UnixMilli(before.Begun)), about)
	}
	if d.State == fsm.Failed {
		span.SetStatus(codes.Error, d.Error)
	}
	span.End()
}
