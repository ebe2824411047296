package leader

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
)

// Pauses of the loop.
const (
	// planInterval is the least time between two looks, so that a storm of commands
	// is planned for in batches. A look that takes longer, because there are hundreds of
	// environments, is followed by a rest of twice that, up to planIntervalMax.
	planInterval    = 2 * time.Millisecond
	planIntervalMax = 20 * time.Millisecond
	// retryPause is how long a proposal or question that came to nothing rests.
	retryPause = 200 * time.Millisecond
	// statusInterval is how often each member is asked for its status.
	statusInterval = time.Second
)

// How much is done at once when a commit touches hundreds of environments. More would not be faster, and keep the
// processors from what has to be done in time: heartbeats, for one.
const (
	// uploadsAtOnce is in bytes under way: a large content counts as the one chunk of it that is, and a small one as
	// no less than uploadLeast.
	uploadsAtOnce = 4 * fsm.MaxChunk
	uploadLeast   = fsm.MaxChunk / 16
	// questionsAtOnce is for each node: one that does not answer delays no other.
	questionsAtOnce = 32
)

// Lead is the leader's work in one term. It returns when ctx ends, after
// everything that it started has ended.
func (l *Leader) Lead(ctx context.Context, term uint64) error {
	t := &tenure{
		Config:  l.config,
		term:    term,
		begun:   l.config.Now(),
		desk:    NewDesk(),
		events:  make(chan func()),
		pollers: map[string]*poller{},
		watched: map[string]context.CancelFunc{},

		compressor: sync.OnceValue(bundle.NewCompressor),

		uploads: semaphore.NewWeighted(uploadsAtOnce),
		asked:   map[string]*semaphore.Weighted{},
	}
	defer t.workers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.run(ctx)
	return nil
}

// tenure is one term of leadership. Its desk and maps belong to the goroutine
// of run; workers hand it closures through events.
type tenure struct {
	Config
	term    uint64
	begun   time.Time
	desk    *Desk
	events  chan func()
	workers sync.WaitGroup

	pollers  map[string]*poller
	watched  map[string]context.CancelFunc
	settings *fsm.Settings
	// compressor packs contents; it is made when there is the first.
	compressor func() bundle.Compressor
	uploads    *semaphore.Weighted
	// asked are the questions that each node is asked.
	asked map[string]*semaphore.Weighted
}

func (t *tenure) run(ctx context.Context) {
	for ctx.Err() == nil {
		changed, begun := t.Store.Changed(), t.Now()
		wake := t.look(ctx)
		if !pause(ctx, min(max(planInterval, 2*t.Now().Sub(begun)), planIntervalMax)) {
			return
		}
		timer := time.NewTimer(wake)
		select {
		case <-ctx.Done():
		case <-changed:
		case event := <-t.events:
			event()
			t.drain()
		case <-timer.C:
		}
		timer.Stop()
	}
}

// drain takes the events that are ready, so that one look serves them all.
func (t *tenure) drain() {
	for {
		select {
		case event := <-t.events:
			event()
		default:
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// look plans and starts what is to be done. It returns how long nothing but an
// event can change the decisions.
func (t *tenure) look(ctx context.Context) time.Duration {
	state, members, now := t.Store.State(), t.Group.Members(), t.Now()
	t.watch(ctx, members)
	t.follow(ctx, state)
	agenda := t.desk.Look(Surroundings{
		State: state, Format: fsm.FormatVersion, Now: now.UnixMilli(), Uptime: now.Sub(t.begun),
		Voters: t.Group.Voters(), Members: members, Silence: t.Group.Silence,
	})
	if agenda.ClockLost {
		t.Logger.ErrorContext(ctx, msgClockUntrust, "skew", agenda.Skew)
	}
	for _, work := range agenda.Begin {
		t.start(ctx, work)
	}
	for _, branch := range agenda.Reread {
		if p := t.pollers[branch]; p != nil {
			p.kick()
		}
	}
	return agenda.Wake
}

// start does work in its own goroutine. What that comes to runs on the loop;
// nil there means that it came to nothing.
func (t *tenure) start(ctx context.Context, work Work) {
	turn, weight := t.turn(work)
	t.workers.Go(func() {
		if turn != nil {
			if turn.Acquire(ctx, weight) != nil {
				return
			}
			defer turn.Release(weight)
		}
		done := t.carryOut(ctx, work)
		t.post(ctx, func() {
			t.desk.Finish(work.Key, t.Now().Sub(t.begun), done != nil)
			if done != nil {
				done()
			}
		})
	})
}

// turn is what work of its kind waits for, and how much of it; nil if it need not wait.
func (t *tenure) turn(work Work) (*semaphore.Weighted, int64) {
	switch {
	case work.Upload != nil:
		return t.uploads, int64(min(max(len(work.Upload.Encoded), uploadLeast), fsm.MaxChunk))
	case work.Question != nil:
		node := work.Question.Node
		if t.asked[node] == nil {
			t.asked[node] = semaphore.NewWeighted(questionsAtOnce)
		}
		return t.asked[node], 1
	default:
		return nil, 0
	}
}

func (t *tenure) carryOut(ctx context.Context, work Work) func() {
	switch {
	case work.Question != nil:
		return t.question(ctx, *work.Question)
	case work.Upload != nil:
		return t.upload(ctx, work.Upload)
	default:
		return t.proposal(ctx, work.Key, work.Proposal)
	}
}

// post hands a closure to the loop, unless the term has ended.
func (t *tenure) post(ctx context.Context, event func()) {
	select {
	case <-ctx.Done():
	case t.events <- event:
	}
}
