package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/planted"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// staged is the outcome of staging one operation: computed once, so that a
// successor who asks again gets the same answer.
type staged struct {
	operation uint64
	digest    string
	done      chan struct{}
	answer    *pb.StageResponse
	built     *registry.Catalog
}

// stages keeps the newest staging of each environment.
type stages struct {
	mu     sync.Mutex
	byName map[string]*staged
}

func newStages() *stages { return &stages{byName: map[string]*staged{}} }

// begin returns the staging of an operation, and whether the caller has to do it.
func (s *stages) begin(environment string, operation uint64, digest string) (*staged, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.byName[environment]; known != nil {
		if known.operation == operation {
			return known, false
		}
		known.abandon()
	}
	next := &staged{operation: operation, digest: digest, done: make(chan struct{})}
	s.byName[environment] = next
	return next, true
}

// forget drops a staging that gave no answer, so that the next question begins anew.
func (s *stages) forget(environment string, st *staged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName[environment] == st {
		delete(s.byName, environment)
	}
}

// take hands out the catalog that was staged for a digest, nil if there is none.
func (s *stages) take(environment, digest string) *registry.Catalog {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byName[environment]
	if known == nil || known.digest != digest {
		return nil
	}
	select {
	case <-known.done:
		built := known.built
		known.built = nil
		return built
	default:
		return nil
	}
}

// drop abandons the staging of an environment that has no operation under way at
// an index. One that began after it is not meant: the state may be an old one.
func (s *stages) drop(environment string, index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.byName[environment]; known != nil && known.operation <= index {
		known.abandon()
		delete(s.byName, environment)
	}
}

// dropAll abandons the stagings of all environments.
func (s *stages) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.byName {
		known.abandon()
	}
	clear(s.byName)
}

// abandon gives back a catalog that will not be activated, once it is built.
func (st *staged) abandon() {
	select {
	case <-st.done:
		if st.built != nil {
			st.built.Release()
			st.built = nil
		}
	default:
	}
}

// Stage stores a content on disk, parses it, checks it against its live data
// sources and builds its catalog. The answer says whether this node can serve it.
func (n *Node) Stage(ctx context.Context, request *pb.StageRequest) (*pb.StageResponse, error) {
	state, err := n.config.Store.Wait(ctx, request.GetIndex())
	if err != nil {
		return nil, status.FromContextError(err).Err()
	}
	staging, err := n.BeginStaging(ctx, state, request)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case <-staging.Done():
	}
	return staging.Answer()
}

// Staging is one operation's content being staged, or staged.
type Staging struct{ of *staged }

// Done is closed when there is an answer.
func (s Staging) Done() <-chan struct{} { return s.of.done }

// Answer is what Stage answers, once Done is closed.
func (s Staging) Answer() (*pb.StageResponse, error) {
	if s.of.answer == nil {
		return nil, status.Error(codes.Unavailable, "staging was interrupted")
	}
	return s.of.answer, nil
}

// BeginStaging is Stage in a state that is new enough: it does the work unless
// another caller does, for which it doesn't wait.
func (n *Node) BeginStaging(ctx context.Context, state *fsm.State, request *pb.StageRequest) (Staging, error) {
	env := state.Environment(request.GetEnvironment())
	if env == nil || env.Operation == nil || env.Operation.ID != request.GetOperation() || env.Operation.Digest != request.GetDigest() {
		return Staging{}, status.Error(codes.FailedPrecondition, "the operation is over")
	}
	st, mine := n.stages.begin(env.Name, env.Operation.ID, env.Operation.Digest)
	if mine {
		n.stage(ctx, state, env, st)
	}
	return Staging{st}, nil
}

func (n *Node) stage(ctx context.Context, state *fsm.State, env *fsm.Environment, st *staged) {
	begun := n.config.Now()
	op := env.Operation
	target := state.Deployment(op.TargetID)
	if target == nil {
		n.stages.forget(env.Name, st)
		close(st.done)
		return
	}
	ctx, span := n.span(ctx, spanStage, env.Name, target.Commit)
	defer func() { endSpan(span, st.answer.GetProblems()) }()
	n.announceStaging(ctx, env.Name, target)
	model, err := n.model(state, env.Name, op.Digest)
	var problems []string
	var built *registry.Catalog
	if err != nil {
		problems = []string{err.Error()}
	} else {
		built, problems = n.check(ctx, env.Name, op, target.ID, model)
	}
	// A node that ends, or is not waited for any more, has no veto.
	if built == nil && (ctx.Err() != nil || errors.Is(err, ErrDisk)) {
		n.stages.forget(env.Name, st)
		close(st.done)
		return
	}
	for _, problem := range problems {
		n.announceRejection(ctx, env.Name, problem)
	}
	accepted := built != nil
	if accepted && planted.On(planted.SwapStaged) {
		n.config.Registry.Swap(env.Name, built)
		built = nil
	}
	st.built = built
	st.answer = &pb.StageResponse{
		NodeId: n.config.NodeID, Incarnation: n.config.Incarnation, Accepted: accepted,
		Problems: problems, DurationMs: uint64(max(0, n.config.Now().Sub(begun).Milliseconds())),
	}
	if model != nil {
		st.answer.Services = uint32(len(model.Services))
	}
	close(st.done)
}

// check builds the catalog against the live sources, within the operation's deadline.
func (n *Node) check(ctx context.Context, environment string, op *fsm.Operation, deployment string, model *catalog.Model) (*registry.Catalog, []string) {
	left := time.UnixMilli(op.Deadline).Sub(n.config.Now())
	ctx, cancel := context.WithTimeout(ctx, max(left, time.Second))
	defer cancel()
	built, problems := n.config.Registry.Build(ctx, registry.BuildInput{
		Environment: environment, Digest: op.Digest, ActivationLabel: deployment,
		Model: model, Checks: registry.Strict,
	})
	return built, problemTexts(problems)
}

func (n *Node) announceStaging(ctx context.Context, environment string, d *fsm.Deployment) {
	log := n.config.Logger
	folder := "environments/" + environment
	log.InfoContext(ctx, fmt.Sprintf(msgStarting, environment, d.Commit))
	log.InfoContext(ctx, fmt.Sprintf(msgReconciling, folder))
	for _, kind := range configurationKinds {
		log.InfoContext(ctx, fmt.Sprintf(msgRetrieving, kind, folder+"/"+kind+".json"))
		log.DebugContext(ctx, fmt.Sprintf(msgParsed, kind))
	}
}

// configurationKinds are the files that every environment has.
var configurationKinds = [...]string{"metadata", "datasources"}

func (n *Node) announceRejection(ctx context.Context, environment, problem string) {
	message := msgRejected
	if strings.Contains(problem, msgDatabase) {
		message = msgDatabase
	}
	n.config.Logger.ErrorContext(ctx, message, "environment", environment, "problem", problem)
}
