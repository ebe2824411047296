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
	t.desk.SettingsChanged()
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
	// begun and answered are when the newest question for the head was.
	begun, answered time.Time
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
			poll.Code, poll.Err = gitsync.Code(err), said(err)
			p.Logger.WarnContext(ctx, msgPollFailed, "branch", poll.Branch, "code", poll.Code, "error", err)
		} else {
			candidates = p.poll(ctx, repository, &poll)
		}
		if ctx.Err() != nil {
			return
		}
		next := p.Now().Add(backoff.Next(p.lookout.Failures(poll, candidates), p.Random()))
		poll.NextPoll = next.UnixMilli()
		p.post(ctx, func() {
			if ctx.Err() == nil { // else the settings changed since
				p.desk.Polled(poll, candidates)
			}
		})
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
	p.begun = time.Now()
	head, err := repository.Head(ctx)
	p.answered = time.Now()
	if err != nil {
		poll.Code, poll.Err = gitsync.Code(err), said(err)
		p.Logger.WarnContext(ctx, msgPollFailed, "branch", poll.Branch, "code", poll.Code, "error", err)
		return nil
	}
	poll.Head = head
	p.announceHead(ctx, head)
	candidates, watching := p.read(ctx, repository, head)
	if len(candidates) == watching {
		poll.Code, poll.Err = shared(candidates)
	}
	return candidates
}

// read finds out what the head means for each environment; what has to be read is read all at once.
func (p *poller) read(ctx context.Context, repository Repository, head string) (candidates []*Candidate, watching int) {
	found := func(f Finding) {
		if f.Candidate != nil && ctx.Err() == nil {
			p.announceFinding(ctx, f)
			candidates = append(candidates, f.Candidate)
		}
	}
	state := p.Store.State()
	var open []*Unsettled
	var requests []gitsync.Request
	for _, env := range p.lookout.Watched(state) {
		watching++
		f, u := p.lookout.Look(state, env, head)
		if u == nil {
			found(f)
			continue
		}
		open, requests = append(open, u), append(requests, u.Request)
	}
	if len(open) > 0 {
		begun := time.Now()
		repository.ReadEach(ctx, requests, func(i int, reading *gitsync.Reading, err error) {
			ended := time.Now()
			f := p.lookout.Judge(open[i], reading, err)
			p.traceReading(ctx, requests[i], begun, ended, f)
			found(f)
		})
	}
	return candidates, watching
}

// shared is the failure that all environments of a branch met alike, such as a pack that does not arrive: it is the
// poll's then, and said once.
func shared(candidates []*Candidate) (code, text string) {
	for _, c := range candidates {
		if c.Code == "" || c.Code != candidates[0].Code {
			return "", ""
		}
		code, text = c.Code, candidates[0].Err
	}
	return code, text
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
