package leader

import (
	"context"
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
	for _, branch := range Branches(settings) {
		pollCtx, cancel := context.WithCancel(ctx)
		p := &poller{tenure: t, lookout: NewLookout(settings, branch), stop: cancel, kicked: make(chan struct{}, 1)}
		t.pollers[branch] = p
		t.workers.Go(func() { p.run(pollCtx) })
	}
}

// poller watches one branch. Everything but kick belongs to its goroutine.
type poller struct {
	*tenure
	lookout *Lookout
	stop    context.CancelFunc
	kicked  chan struct{}
	head    string
}

// kick asks for a poll now: something has to be read again.
func (p *poller) kick() {
	select {
	case p.kicked <- struct{}{}:
	default:
	}
}

func (p *poller) run(ctx context.Context) {
	interval := time.Duration(p.lookout.settings.PollInterval) * time.Millisecond
	p.Logger.InfoContext(ctx, sprintf(msgStarted, p.lookout.branch, int(interval.Seconds())))
	var repository Repository
	defer func() {
		if repository != nil {
			repository.Close()
		}
	}()
	backoff := gitsync.Backoff{Interval: interval}
	for ctx.Err() == nil {
		poll := p.lookout.Begin(p.Store.State())
		var candidates []*Candidate
		var err error
		if repository == nil {
			repository, err = p.Open(p.lookout.settings, p.lookout.branch)
		}
		if err != nil {
			repository = nil // it is tried again: a full disk or an unreachable place may recover
			poll.Code, poll.Err = gitsync.Code(err), err.Error()
			p.Logger.WarnContext(ctx, msgPollFailed, "branch", poll.Branch, "code", poll.Code, "error", err)
		} else {
			candidates = p.poll(ctx, repository, &poll)
		}
		if ctx.Err() != nil {
			return
		}
		next := p.Now().Add(backoff.Next(p.lookout.Failures(poll, candidates), p.Random()))
		poll.NextPoll = next.UnixMilli()
		p.post(ctx, func() { p.desk.Polled(poll, candidates) })
		p.await(ctx, next)
	}
}

// await returns when the next poll is due, or asked for.
func (p *poller) await(ctx context.Context, next time.Time) {
	timer := time.NewTimer(next.Sub(p.Now()))
	defer timer.Stop()
	for {
		changed := p.Store.Changed()
		if p.lookout.Hinted(p.Store.State()) {
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
	p.Logger.DebugContext(ctx, sprintf(msgPolling, poll.Branch))
	head, err := repository.Head(ctx)
	if err != nil {
		poll.Code, poll.Err = gitsync.Code(err), err.Error()
		p.Logger.WarnContext(ctx, msgPollFailed, "branch", poll.Branch, "code", poll.Code, "error", err)
		return nil
	}
	poll.Head = head
	p.announceHead(ctx, head)
	var candidates []*Candidate
	for _, env := range p.lookout.Watched(p.Store.State()) {
		if ctx.Err() != nil {
			break
		}
		found := p.lookout.Find(p.Store.State(), env, head, func(request gitsync.Request) (*gitsync.Reading, error) {
			return repository.Read(ctx, request)
		})
		if found.Candidate == nil {
			continue
		}
		p.announceFinding(ctx, found)
		candidates = append(candidates, found.Candidate)
	}
	return candidates
}

func (p *poller) announceFinding(ctx context.Context, found Finding) {
	c := found.Candidate
	switch {
	case found.Reading != nil:
		p.announceReading(ctx, c, found.Reading)
	case found.Err != nil && c.Code == "":
		p.Logger.ErrorContext(ctx, msgChecksFailed, "environment", c.Environment, "commit", c.Commit, "error", found.Err)
	case found.Err != nil:
		p.Logger.WarnContext(ctx, msgReadFailed, "environment", c.Environment, "commit", c.Commit, "error", found.Err)
	}
}
