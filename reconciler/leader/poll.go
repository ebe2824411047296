package leader

import (
	"context"
	"maps"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
)

// follow keeps one poller for each branch that the settings name.
func (t *tenure) follow(ctx context.Context, state *fsm.State) {
	settings := state.Settings()
	if settings == t.settings || settings == nil {
		return
	}
	t.settings = settings
	for branch, p := range t.pollers {
		p.stop()
		delete(t.pollers, branch)
	}
	for _, e := range settings.Environments {
		if t.pollers[e.Branch] != nil {
			continue
		}
		pollCtx, cancel := context.WithCancel(ctx)
		p := &poller{tenure: t, branch: e.Branch, settings: settings, stop: cancel, kicked: make(chan struct{}, 1), models: map[string]*base{}, known: map[string]*Candidate{}}
		t.pollers[e.Branch] = p
		t.workers.Go(func() { p.run(pollCtx) })
	}
}

// poller watches one branch. Everything but kick belongs to its goroutine.
type poller struct {
	*tenure
	branch   string
	settings *fsm.Settings
	stop     context.CancelFunc
	kicked   chan struct{}

	models map[string]*base
	known  map[string]*Candidate
	// seen is the newest hint that a poll of this poller began after.
	seen   uint64
	head   string
	errors int
}

// kick asks for a poll now: something has to be read again.
func (p *poller) kick() {
	select {
	case p.kicked <- struct{}{}:
	default:
	}
}

func (p *poller) run(ctx context.Context) {
	interval := time.Duration(p.settings.PollInterval) * time.Millisecond
	p.Logger.InfoContext(ctx, sprintf(msgStarted, p.branch, int(interval.Seconds())))
	var repository Repository
	defer func() {
		if repository != nil {
			repository.Close()
		}
	}()
	backoff := gitsync.Backoff{Interval: interval}
	for ctx.Err() == nil {
		poll := Poll{Branch: p.branch, Generation: p.requested()}
		var candidates []*Candidate
		var err error
		if repository == nil {
			repository, err = p.Open(p.settings, p.branch)
		}
		if err != nil {
			repository = nil // it is tried again: a full disk or an unreachable place may recover
			poll.Code, poll.Err = gitsync.Code(err), err.Error()
			p.Logger.WarnContext(ctx, msgPollFailed, "branch", p.branch, "code", poll.Code, "error", err)
		} else {
			candidates = p.poll(ctx, repository, &poll)
		}
		if ctx.Err() != nil {
			return
		}
		next := p.Now().Add(backoff.Next(p.count(poll, candidates), p.Random()))
		poll.NextPoll = next.UnixMilli()
		p.post(ctx, func() { p.take(poll, candidates) })
		p.await(ctx, next)
	}
}

// take runs on the loop: the poll becomes an input. A poll that succeeded says
// everything about its branch: what an earlier one found, or could not read,
// does not count any more.
func (p *poller) take(poll Poll, candidates []*Candidate) {
	p.polls[poll.Branch] = poll
	if poll.Code == "" {
		maps.DeleteFunc(p.candidates, func(_ string, c *Candidate) bool { return c.Branch == poll.Branch })
	}
	for _, c := range candidates {
		p.candidates[c.Environment] = c
	}
}

// count is the number of polls in a row that came to nothing.
func (p *poller) count(poll Poll, candidates []*Candidate) int {
	failed := poll.Code != ""
	for _, c := range candidates {
		failed = failed || c.Code != ""
	}
	if failed {
		p.errors++
	} else {
		p.errors = 0
	}
	return p.errors
}

// requested is the newest hint for this branch.
func (p *poller) requested() uint64 {
	state := p.Store.State()
	p.seen = state.Meta().PollGeneration
	generation := uint64(0)
	for env := range state.Environments() {
		if env.Branch == p.branch && !env.Retired {
			generation = max(generation, env.PollRequested)
		}
	}
	return generation
}

// hinted reports whether somebody asked for a poll since the last one began.
func (p *poller) hinted() bool {
	state := p.Store.State()
	if state.Meta().PollGeneration <= p.seen {
		return false
	}
	for env := range state.Environments() {
		if env.Branch == p.branch && !env.Retired && env.PollRequested > p.seen {
			return true
		}
	}
	p.seen = state.Meta().PollGeneration
	return false
}

// await returns when the next poll is due, or asked for.
func (p *poller) await(ctx context.Context, next time.Time) {
	timer := time.NewTimer(next.Sub(p.Now()))
	defer timer.Stop()
	for {
		changed := p.Store.Changed()
		if p.hinted() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-p.kicked:
			return
		case <-changed:
		}
	}
}

// poll asks for the head and reads what is new of it.
func (p *poller) poll(ctx context.Context, repository Repository, poll *Poll) []*Candidate {
	p.Logger.DebugContext(ctx, sprintf(msgPolling, p.branch))
	head, err := repository.Head(ctx)
	if err != nil {
		poll.Code, poll.Err = gitsync.Code(err), err.Error()
		p.Logger.WarnContext(ctx, msgPollFailed, "branch", p.branch, "code", poll.Code, "error", err)
		return nil
	}
	poll.Head = head
	p.announceHead(ctx, head)
	var candidates []*Candidate
	for env := range p.Store.State().Environments() {
		if env.Branch != p.branch || env.Retired || ctx.Err() != nil {
			continue
		}
		if c := p.candidate(ctx, repository, env, head); c != nil {
			p.known[env.Name] = c
			candidates = append(candidates, c)
		}
	}
	return candidates
}

// candidate returns what the head means for an environment, nil if the
// replicated state says it already.
func (p *poller) candidate(ctx context.Context, repository Repository, env *fsm.Environment, head string) *Candidate {
	state := p.Store.State()
	if known := p.known[env.Name]; known != nil && known.Commit == head && known.Code == "" && !known.Unsigned && known.Current(env) {
		return known
	}
	if env.LatestCommit == head && Settled(state, env, head, env.LatestDigest) {
		return nil
	}
	b, err := p.base(state, env)
	if err != nil {
		return unread(env.Name, p.branch, head, *b, err)
	}
	wanted := verification(p.settings, env.Name)
	reading, err := repository.Read(ctx, gitsync.Request{Commit: head, Deployed: b.commit, Environment: env.Name, Verification: wanted})
	switch {
	case err != nil && gitsync.KindOf(err) == gitsync.Content:
		p.Logger.ErrorContext(ctx, msgChecksFailed, "environment", env.Name, "commit", head, "error", err)
		return refused(env.Name, p.branch, head, *b, err)
	case err != nil:
		p.Logger.WarnContext(ctx, msgReadFailed, "environment", env.Name, "commit", head, "error", err)
		return unread(env.Name, p.branch, head, *b, err)
	}
	if wanted.Mode == gitsync.VerifyRequired && reading.Signature.Status != gitsync.SignatureGood {
		c := unsigned(env.Name, p.branch, *b, reading)
		p.announceReading(ctx, c, reading)
		return c
	}
	c := prepare(env.Name, p.branch, *b, reading)
	p.announceReading(ctx, c, reading)
	return c
}
