//go:build unix

// Package clients uses a cluster as its operators do, eight at a time, and notes every call and what came of it.
package clients

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/harness"
)

// callWithin bounds one call. What is unknown then may be asked again under its request id, repeats times.
const (
	callWithin = 4 * time.Second
	repeats    = 2
)

// Repository takes the committer's commits.
type Repository interface {
	// Commit changes an environment and returns the commit, or ends what runs it (see harness.Protect).
	Commit(environment string, random *rand.Rand) string
}

// Config is what the clients need.
type Config struct {
	Nodes        []*harness.Node
	Environments []history.Environment
	Repository   Repository
	Calls        *history.Writer
	Begun        time.Time
	Seed         uint64
}

// Run runs the eight clients until the context ends.
func Run(ctx context.Context, c Config) error {
	work := []struct {
		name string
		// least and most is the pause between two calls.
		least, most time.Duration
		act         func(*worker, context.Context) error
	}{
		{"committer", 300 * time.Millisecond, 1200 * time.Millisecond, (*worker).commit},
		{"alice", 50 * time.Millisecond, 250 * time.Millisecond, (*worker).approve},
		{"bob", 50 * time.Millisecond, 250 * time.Millisecond, (*worker).approve},
		{"carol", 800 * time.Millisecond, 3 * time.Second, (*worker).reject},
		{"dave", time.Second, 4 * time.Second, (*worker).rollback},
		{"erin", 100 * time.Millisecond, 600 * time.Millisecond, (*worker).steer},
		{"reader", 30 * time.Millisecond, 120 * time.Millisecond, (*worker).read},
		{"reader", 30 * time.Millisecond, 120 * time.Millisecond, (*worker).read},
	}
	known := &known{}
	var all sync.WaitGroup
	errs := make([]error, len(work))
	for i, w := range work {
		made, err := newWorker(c, i, w.name, known)
		if err != nil {
			return err
		}
		all.Go(func() {
			defer made.close()
			for ctx.Err() == nil && errs[i] == nil {
				if err := made.protected(ctx, w.act); err != nil && ctx.Err() == nil {
					errs[i] = fmt.Errorf("client %s: %w", w.name, err)
				}
				harness.Pause(ctx, w.least+time.Duration(made.random.Int64N(int64(w.most-w.least))))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// worker is one client.
type worker struct {
	Config
	number int
	name   string
	random *rand.Rand
	known  *known
	// all asks whichever node answers, single one node only.
	all    *client.Client
	single []*client.Client
	// paused is what it has paused itself.
	paused string
	// reads are under way.
	reads errgroup.Group
}

func newWorker(c Config, number int, name string, known *known) (*worker, error) {
	w := &worker{Config: c, number: number, name: name, random: rand.New(rand.NewPCG(c.Seed, uint64(number)+100)), known: known}
	w.reads.SetLimit(mostReads)
	var addresses []string
	for i := range c.Nodes {
		addresses = append(addresses, c.Nodes[(i+number)%len(c.Nodes)].GRPC)
	}
	var err error
	if w.all, err = client.New(client.Config{Addresses: addresses, AttemptTimeout: time.Second}); err != nil {
		return nil, err
	}
	for _, n := range c.Nodes {
		one, err := client.New(client.Config{Addresses: []string{n.GRPC}, GiveUp: time.Nanosecond})
		if err != nil {
			return nil, err
		}
		w.single = append(w.single, one)
	}
	return w, nil
}

func (w *worker) close() {
	_ = w.reads.Wait() // none returns an error
	w.all.Close()
	for _, one := range w.single {
		one.Close()
	}
}

func (w *worker) protected(ctx context.Context, act func(*worker, context.Context) error) (err error) {
	if end := harness.Protect(func() { err = act(w, ctx) }); end != nil {
		return end
	}
	return err
}

func (w *worker) environment() string {
	return w.Environments[w.random.IntN(len(w.Environments))].Name
}

// begin is a change that is about to be asked for.
func (w *worker) begin(kind history.Kind, environment string) history.Call {
	return history.Call{
		Client: w.number, Kind: kind, Environment: environment, Actor: w.name,
		RequestID: client.NewRequestID(time.Now()), Called: time.Since(w.Begun),
	}
}

// change asks for a change until its outcome is known, or a few times, and notes it. What succeeded is asked for again
// now and then, as a caller does whose answer was lost: that must change nothing.
func (w *worker) change(ctx context.Context, call history.Call, ask func(ctx context.Context) (applied uint64, err error)) {
	stubborn := w.random.IntN(10) < 7
	doubt := false
	for try := 0; ; try++ {
		w.attempt(ctx, &call, ask)
		// That a later attempt was not executed says nothing of an earlier one.
		doubt = doubt || call.Outcome == history.Unknown
		if doubt && call.Outcome == history.NotExecuted {
			call.Outcome = history.Unknown
		}
		if call.Outcome != history.Unknown || !stubborn || try == repeats || ctx.Err() != nil {
			break
		}
	}
	w.Calls.Write(call)
	if call.Outcome == history.OK && w.random.IntN(10) == 0 {
		call.Called = time.Since(w.Begun)
		w.attempt(ctx, &call, ask)
		w.Calls.Write(call)
	}
}

func (w *worker) attempt(ctx context.Context, call *history.Call, ask func(ctx context.Context) (uint64, error)) {
	bounded, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	applied, err := ask(bounded)
	call.AppliedIndex, call.Error = applied, ""
	call.Returned = time.Since(w.Begun)
	call.Outcome = OutcomeOf(err)
	if err != nil {
		call.Error = err.Error()
	}
}

// OutcomeOf is what the error of a change says of it.
func OutcomeOf(err error) history.Outcome {
	var failure *client.Error
	switch {
	case err == nil:
		return history.OK
	case errors.Is(err, client.ErrRefused):
		return history.Refused
	case errors.As(err, &failure) && failure.Outcome == client.NotExecuted:
		return history.NotExecuted
	default:
		return history.Unknown
	}
}

// known are deployments that somebody has seen.
type known struct {
	mu  sync.Mutex
	ids []string
}

// keptIDs is how many are remembered.
const keptIDs = 6

func (k *known) add(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, other := range k.ids {
		if other == id {
			return
		}
	}
	k.ids = append(k.ids, id)
	if len(k.ids) > keptIDs {
		k.ids = k.ids[1:]
	}
}

func (k *known) any(random *rand.Rand) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ids) == 0 {
		return ""
	}
	return k.ids[random.IntN(len(k.ids))]
}

// awaiting returns a deployment that waits for approval, as some node sees it; nil if there is none.
func (w *worker) awaiting(ctx context.Context) *pb.Deployment {
	bounded, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	answer, err := w.all.Deployments().ListDeployments(bounded, &pb.ListDeploymentsRequest{PageSize: 30, Consistency: pb.Consistency_CONSISTENCY_STALE})
	if err != nil {
		return nil
	}
	var waiting []*pb.Deployment
	for _, d := range answer.GetDeployments() {
		if d.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL {
			waiting = append(waiting, d)
		}
	}
	for _, d := range answer.GetDeployments()[:min(2, len(answer.GetDeployments()))] {
		w.known.add(d.GetId())
	}
	if len(waiting) == 0 {
		return nil
	}
	return waiting[w.random.IntN(len(waiting))]
}
