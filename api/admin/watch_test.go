package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// collect resumes a watch of deployments from an index and returns its messages
// up to the one with the given index.
func collect(t *testing.T, a *api, request *pb.WatchDeploymentsRequest, until uint64) []*pb.WatchDeploymentsResponse {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := a.deployments.WatchDeployments(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	var messages []*pb.WatchDeploymentsResponse
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
		if m.GetIndex() >= until {
			return messages
		}
	}
}

// deploymentEvents are the audit records about deployments after an index.
func deploymentEvents(state *fsm.State, after uint64) (sequences []uint64, last uint64) {
	for r := range state.Audit(0) {
		if r.Index > after && state.Deployment(r.Object) != nil {
			sequences, last = append(sequences, r.Sequence), r.Index
		}
	}
	return sequences, last
}

// Whatever message a client saw last, resuming with its index loses no event.
func TestAWatchResumesAnywhereWithoutAGap(t *testing.T) {
	a := serve(t)
	a.node.Deploy("roads")
	start := a.node.Store().State().Index()
	a.node.Create("production", "rivers")
	a.node.Create("production", "lakes")
	a.node.Deploy("hills")
	want, last := deploymentEvents(a.node.Store().State(), start)
	messages := collect(t, a, &pb.WatchDeploymentsRequest{AfterIndex: start}, last)
	if got := sequencesOf(messages); !slices.Equal(got, want) {
		t.Fatalf("events %v, want %v", got, want)
	}
	for i, m := range messages[:len(messages)-1] {
		rest := sequencesOf(collect(t, a, &pb.WatchDeploymentsRequest{AfterIndex: m.GetIndex()}, last))
		if !slices.Contains(rest, want[i+1]) || !slices.Equal(rest, want[len(want)-len(rest):]) {
			t.Errorf("after message %d (index %d) come %v, want a suffix of %v with %d", i, m.GetIndex(), rest, want, want[i+1])
		}
	}
}

func sequencesOf(messages []*pb.WatchDeploymentsResponse) []uint64 {
	var sequences []uint64
	for _, m := range messages {
		sequences = append(sequences, m.GetEvent().GetSequence())
	}
	return sequences
}

func TestAWatchBeginsWithThePresent(t *testing.T) {
	a := serve(t)
	served := a.node.Deploy("roads")
	waiting := a.node.Create("production", "rivers")
	newest := a.node.Store().State().Index()
	all := collect(t, a, &pb.WatchDeploymentsRequest{}, newest)
	if len(all) != 2 || all[0].GetDeployment().GetId() != served || all[1].GetDeployment().GetId() != waiting {
		t.Errorf("%v", all)
	}
	if all[0].GetIndex() != 0 || all[0].GetEvent() != nil {
		t.Error("only the last message of the present may be resumed with")
	}
	one := collect(t, a, &pb.WatchDeploymentsRequest{Id: served}, newest)
	if len(one) != 1 || one[0].GetDeployment().GetState() != pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED {
		t.Errorf("%v", one)
	}
}

func TestAWatchFollowsWhatHappens(t *testing.T) {
	a := serve(t)
	id := a.node.Create("development", "roads")
	stream, err := a.deployments.WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	a.node.Create("production", "rivers")
	a.node.Stage("development", id)
	a.node.Finish("development")
	var actions []string
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if m.GetDeployment().GetId() != id {
			t.Errorf("an event of %s", m.GetDeployment().GetId())
		}
		actions = append(actions, m.GetEvent().GetAction())
		if m.GetDeployment().GetState() == pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED && m.GetIndex() == a.node.Store().State().Index() {
			break
		}
	}
	if !slices.Contains(actions, "environment.activate") {
		t.Errorf("actions %v", actions)
	}
}

func TestAWatchOfNothingSaysWhereItIs(t *testing.T) {
	a := serve(t)
	messages := collect(t, a, &pb.WatchDeploymentsRequest{Environment: "production"}, 1)
	if len(messages) != 1 || messages[0].GetDeployment() != nil || messages[0].GetIndex() != a.node.Store().State().Index() {
		t.Errorf("%v", messages)
	}
	stream, err := a.deployments.WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{Id: "nonsense"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.NotFound, "UNKNOWN_DEPLOYMENT")
}

// A token whose events were cut off is refused, and so is a watch that is
// overtaken by the cut; never a silent gap.
func TestAWatchThatFellBehindIsTold(t *testing.T) {
	state := cutState(t)
	var told *problem
	w := &deploymentWatch{send: func(*pb.WatchDeploymentsResponse) error { return nil }}
	if err := w.begin(state, 1); !errors.As(err, &told) || told.failure != OutOfRange {
		t.Errorf("begin: %v", err)
	}
	w.next = state.FirstAudit() - 1
	if err := w.advance(state); !errors.As(err, &told) || told.failure != OutOfRange {
		t.Errorf("advance: %v", err)
	}
	if err := w.begin(state, state.Index()); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
}

// A watch whose time is over says so, whoever's clock sees it first: the client's context is not the only one that ends.
func TestAWatchSaysWhyItEnds(t *testing.T) {
	a := serve(t)
	left, leave := context.WithCancel(t.Context())
	leave()
	over, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	for ctx, want := range map[context.Context]codes.Code{left: codes.Canceled, over: codes.DeadlineExceeded} {
		looks := 0
		err := a.server.core.follow(ctx, func(*fsm.State) error { looks++; return nil })
		if code := tell(t, err).code; code != want || looks != 1 {
			t.Errorf("%v after %d looks, want %v", code, looks, want)
		}
	}
}

// A token of another history, such as that before a restore.
func TestATokenAheadOfTheNode(t *testing.T) {
	a := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &core{Config: a.server.core.Config}
	if err := c.reach(ctx, 1000); tell(t, err).code != codes.Canceled {
		t.Errorf("the caller left: %v", err)
	}
}

func TestWatchEnvironments(t *testing.T) {
	a := serve(t)
	stream, err := a.environments.WatchEnvironments(t.Context(), &pb.WatchEnvironmentsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	next := func() *pb.WatchEnvironmentsResponse {
		t.Helper()
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first, second := next(), next()
	// One log entry made both: only the second may be resumed with.
	if first.GetIndex() != second.GetIndex()-1 || second.GetIndex() != 1 {
		t.Errorf("indexes %d and %d", first.GetIndex(), second.GetIndex())
	}
	asked, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	if m := next(); m.GetEnvironment().GetName() != "production" || m.GetPollGeneration() >= asked.GetGeneration() {
		t.Errorf("%v", m)
	}
	a.node.Lead(&pb.Payload{Command: &pb.Payload_ObservePoll{ObservePoll: &pb.ObservePoll{Branch: "main", Head: admintest.Commit("x"), Generation: asked.GetGeneration()}}})
	for range 2 {
		if m := next(); m.GetPollGeneration() != asked.GetGeneration() {
			t.Errorf("%v", m)
		}
	}
	one, err := a.environments.WatchEnvironments(t.Context(), &pb.WatchEnvironmentsRequest{Name: "production"})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := one.Recv(); err != nil || m.GetEnvironment().GetName() != "production" {
		t.Errorf("%v, %v", m, err)
	}
}

// Draining ends watches with UNAVAILABLE, so that clients resume elsewhere.
func TestDrainEndsWatches(t *testing.T) {
	a := serve(t)
	deployments, err := a.deployments.WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	environments, err := a.environments.WatchEnvironments(t.Context(), &pb.WatchEnvironmentsRequest{Name: "production"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deployments.Recv(); err != nil {
		t.Fatal(err)
	}
	if _, err := environments.Recv(); err != nil {
		t.Fatal(err)
	}
	a.server.Drain(t.Context())
	a.server.Drain(t.Context())
	_, err = deployments.Recv()
	wantCode(t, err, codes.Unavailable, "DRAINING")
	_, err = environments.Recv()
	wantCode(t, err, codes.Unavailable, "DRAINING")
}

// A call that does not end is cut off when the time to drain is over.
func TestDrainIsBounded(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	entered := make(chan struct{})
	block := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		close(entered)
		<-release
		return handle(ctx, request)
	}
	a := serve(t, func(c *Config) { c.Options = []grpc.ServerOption{grpc.ChainUnaryInterceptor(block)} })
	answered := make(chan error, 1)
	go func() {
		_, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{})
		answered <- err
	}()
	<-entered
	over, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("time is up"))
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		a.server.Drain(over)
	}()
	if err := <-answered; err == nil {
		t.Error("the call was answered")
	}
	release <- struct{}{}
	<-drained
}
