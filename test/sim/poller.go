package sim

import (
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/reconciler/leader"
)

// poller lets the product's lookout watch one branch on simulated time.
type poller struct {
	t       *tenure
	branch  string
	backoff gitsync.Backoff
	lookout *leader.Lookout
	stopped bool
	waiting bool
	kicked  bool
	// wakes numbers the waits: of an earlier one nothing is left.
	wakes int
}

// follow keeps a poller for each branch that the settings name.
func (t *tenure) follow() {
	settings := t.n.state.Settings()
	if settings == t.settings || settings == nil {
		return
	}
	t.settings = settings
	t.desk.SettingsChanged()
	for _, branch := range t.branches {
		t.pollers[branch].stopped = true
	}
	clear(t.pollers)
	t.branches = leader.Branches(settings)
	for _, branch := range t.branches {
		p := &poller{
			t: t, branch: branch, lookout: leader.NewLookout(settings, branch),
			backoff: gitsync.Backoff{Interval: time.Duration(settings.PollInterval) * time.Millisecond},
		}
		t.pollers[branch] = p
		p.after(1, p.begin)
	}
}

func (p *poller) after(ms int64, run func()) {
	p.t.after(ms, func() {
		if !p.stopped {
			run()
		}
	})
}

func (p *poller) state() *fsm.State { return p.t.n.state }

// begin asks for the head.
func (p *poller) begin() {
	p.waiting, p.kicked = false, false
	p.wakes++
	poll := p.lookout.Begin(p.state())
	head, err := p.t.n.w.git.askHead(p.branch)
	if err != nil {
		poll.Code, poll.Err = gitsync.Code(err), err.Error()
		p.finish(poll, nil)
		return
	}
	poll.Head = head
	p.readNext(poll, p.lookout.Watched(p.state()), nil)
}

// readNext reads the head for one environment after the other; time passes.
func (p *poller) readNext(poll leader.Poll, left []*fsm.Environment, found []*leader.Candidate) {
	if len(left) == 0 {
		p.finish(poll, found)
		return
	}
	w := p.t.n.w
	delay := w.between(1, 10)
	if w.harm(0.05, "slow reading") {
		delay = w.between(500, 5000)
	}
	p.after(delay, func() {
		finding := p.lookout.Find(p.state(), left[0], poll.Head, func(request gitsync.Request) (*gitsync.Reading, error) {
			return w.read(p.branch, request)
		})
		if finding.Candidate != nil {
			found = append(found, finding.Candidate)
		}
		p.readNext(poll, left[1:], found)
	})
}

// read asks the repository, which may fail or lie.
func (w *world) read(branch string, request gitsync.Request) (*gitsync.Reading, error) {
	if w.planted(MisreadCommit) && w.chance(0.3) {
		return w.plantReading(request.Environment, request.Commit), nil
	}
	if w.harm(0.03, "unreadable commits") {
		return nil, pick(w, []error{gitsync.ErrMissingObject, gitsync.ErrDamaged, gitsync.ErrGarbage})
	}
	reading, err := w.git.read(branch, request.Environment, request.Commit, request.Deployed)
	if err != nil {
		w.count("read errors")
	} else if w.planted(HideRewrite) && reading.Relation == gitsync.Rewritten {
		reading.Relation = gitsync.FastForward
	}
	return reading, err
}

// finish hands the poll to the desk and waits for the next.
func (p *poller) finish(poll leader.Poll, found []*leader.Candidate) {
	w := p.t.n.w
	wait := p.backoff.Next(p.lookout.Failures(poll, found), w.random.Float64()).Milliseconds()
	poll.NextPoll = p.t.n.clock() + wait
	p.after(w.between(1, 3), func() {
		p.t.desk.Polled(poll, found)
		p.t.kick(2)
	})
	p.waiting = true
	mine := p.wakes
	p.after(wait, func() { p.resume(mine) })
	if p.kicked || p.lookout.Hinted(p.state()) {
		p.after(3, func() { p.resume(mine) })
	}
}

func (p *poller) resume(wait int) {
	if p.waiting && p.wakes == wait {
		p.begin()
	}
}

// kick asks for a poll now.
func (p *poller) kick() {
	p.kicked = true
	if mine := p.wakes; p.waiting {
		p.after(1, func() { p.resume(mine) })
	}
}

func (p *poller) stateChanged() {
	if mine := p.wakes; p.waiting && p.lookout.Hinted(p.state()) {
		p.after(1, func() { p.resume(mine) })
	}
}

func digestOf(a *fsm.Active) string {
	if a == nil {
		return ""
	}
	return a.Digest
}
