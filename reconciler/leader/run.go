package leader

import (
	"context"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// Pauses of the loop.
const (
	// planInterval is the least time between two looks, so that a storm of commands
	// is planned for in batches.
	planInterval = 2 * time.Millisecond
	// retryPause is how long a proposal or question that came to nothing rests.
	retryPause = 200 * time.Millisecond
	// statusInterval is how often each member is asked for its status.
	statusInterval = time.Second
)

// Lead is the leader's work in one term. It returns when ctx ends, after
// everything that it started has ended.
func (l *Leader) Lead(ctx context.Context, term uint64) error {
	t := &tenure{
		Config:     l.config,
		term:       term,
		events:     make(chan func()),
		inflight:   map[string]bool{},
		rests:      map[string]time.Time{},
		peers:      map[string]Peer{},
		polls:      map[string]Poll{},
		candidates: map[string]*Candidate{},
		answers:    map[Question]Answer{},
		pollers:    map[string]*poller{},
		watched:    map[string]context.CancelFunc{},
	}
	defer t.workers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.run(ctx)
	return nil
}

// tenure is one term of leadership. Its maps belong to the goroutine of run;
// workers hand it closures through events.
type tenure struct {
	Config
	term    uint64
	events  chan func()
	workers sync.WaitGroup

	inflight     map[string]bool
	rests        map[string]time.Time
	peers        map[string]Peer
	polls        map[string]Poll
	candidates   map[string]*Candidate
	answers      map[Question]Answer
	pollers      map[string]*poller
	watched      map[string]context.CancelFunc
	settings     *fsm.Settings
	clockTrusted bool
}

func (t *tenure) run(ctx context.Context) {
	for ctx.Err() == nil {
		changed := t.Store.Changed()
		in := t.inputs(ctx)
		wake := t.carryOut(ctx, Plan(in))
		if !pause(ctx, planInterval) {
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

// inputs gathers what Plan looks at.
func (t *tenure) inputs(ctx context.Context) Inputs {
	state := t.Store.State()
	members := t.Group.Members()
	t.watch(ctx, members)
	t.follow(ctx, state)
	t.forget(state)
	for _, id := range members {
		peer := t.peers[id]
		peer.SilentMs = t.Group.Silence(id).Milliseconds()
		t.peers[id] = peer
	}
	t.judgeClock(t.Group.Voters())
	return Inputs{
		State: state, Now: t.Now().UnixMilli(), ClockTrusted: t.clockTrusted,
		Voters: t.Group.Voters(), Members: members, Peers: t.peers,
		Polls: t.polls, Candidates: t.candidates, Answers: t.answers,
	}
}

// forget drops answers of operations that are over.
func (t *tenure) forget(state *fsm.State) {
	for q := range t.answers {
		env := state.Environment(q.Environment)
		if env == nil || env.Operation == nil || env.Operation.ID != q.Operation {
			delete(t.answers, q)
		}
	}
}

// carryOut starts what was decided and is not under way yet, and returns how
// long nothing but an event can change the decisions.
func (t *tenure) carryOut(ctx context.Context, d Decisions) time.Duration {
	now := t.Now()
	wake := time.Hour
	if d.Wake > 0 {
		wake = max(time.Millisecond, time.UnixMilli(d.Wake).Sub(now))
	}
	start := func(key string, work func(ctx context.Context) func()) {
		if rest, ok := t.rests[key]; ok && now.Before(rest) {
			wake = min(wake, rest.Sub(now))
			return
		}
		delete(t.rests, key)
		t.start(ctx, key, work)
	}
	for _, p := range d.Proposals {
		start(p.Key, func(ctx context.Context) func() { return t.proposal(ctx, p) })
	}
	for _, q := range d.Questions {
		start(q.key(), func(ctx context.Context) func() { return t.question(ctx, q) })
	}
	for _, environment := range d.Uploads {
		c := t.candidates[environment]
		start("upload/"+c.Digest, func(ctx context.Context) func() { return t.upload(ctx, c) })
	}
	for _, branch := range d.Reread {
		if p := t.pollers[branch]; p != nil {
			p.kick()
		}
	}
	return wake
}

// start runs work in its own goroutine unless the same is under way. What it
// returns runs on the loop; nil there means that it came to nothing, and rests.
func (t *tenure) start(ctx context.Context, key string, work func(ctx context.Context) func()) {
	if t.inflight[key] {
		return
	}
	t.inflight[key] = true
	t.workers.Go(func() {
		done := work(ctx)
		t.post(ctx, func() {
			delete(t.inflight, key)
			if done == nil {
				t.rests[key] = t.Now().Add(retryPause)
				return
			}
			done()
		})
	})
}

// post hands a closure to the loop, unless the term has ended.
func (t *tenure) post(ctx context.Context, event func()) {
	select {
	case <-ctx.Done():
	case t.events <- event:
	}
}
