package sim

import (
	"maps"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/reconciler/leader"
)

// poller watches one branch for one tenure, step by step as the product's does.
type poller struct {
	t        *tenure
	branch   string
	interval int64
	stopped  bool
	waiting  bool
	kicked   bool
	// wakes numbers the waits: of an earlier one nothing is left.
	wakes    int
	seen     uint64
	errors   int
	comparer *leader.Comparer
	known    map[string]*leader.Candidate
}

// follow keeps a poller for each branch that the settings name.
func (t *tenure) follow() {
	settings := t.n.state.Settings()
	if settings == t.settings || settings == nil {
		return
	}
	t.settings = settings
	for branch, p := range t.pollers {
		p.stopped = true
		delete(t.pollers, branch)
	}
	for _, e := range settings.Environments {
		if t.pollers[e.Branch] != nil {
			continue
		}
		p := &poller{
			t: t, branch: e.Branch, interval: settings.PollInterval,
			comparer: leader.NewComparer(), known: map[string]*leader.Candidate{},
		}
		t.pollers[e.Branch] = p
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

// begin asks for the head.
func (p *poller) begin() {
	p.waiting, p.kicked = false, false
	p.wakes++
	state := p.t.n.state
	poll := leader.Poll{Branch: p.branch, Generation: p.requested()}
	head, err := p.t.n.w.git.askHead(p.branch)
	if err != nil {
		poll.Code, poll.Err = gitsync.Code(err), err.Error()
		p.finish(poll, nil)
		return
	}
	poll.Head = head
	var names []string
	for env := range state.Environments() {
		if env.Branch == p.branch && !env.Retired {
			names = append(names, env.Name)
		}
	}
	p.readNext(poll, names, nil)
}

// readNext reads the head for one environment after the other; time passes.
func (p *poller) readNext(poll leader.Poll, names []string, found []*leader.Candidate) {
	if len(names) == 0 {
		p.finish(poll, found)
		return
	}
	delay := p.t.n.w.between(1, 10)
	if p.t.n.w.chance(0.05) {
		delay = p.t.n.w.between(500, 5000)
	}
	p.after(delay, func() {
		if c := p.candidate(names[0], poll.Head); c != nil {
			p.known[c.Environment] = c
			found = append(found, c)
		}
		p.readNext(poll, names[1:], found)
	})
}

// candidate is what the head means for an environment, nil if the state says it.
func (p *poller) candidate(name, head string) *leader.Candidate {
	w, state := p.t.n.w, p.t.n.state
	env := state.Environment(name)
	if known := p.known[name]; known != nil && known.Commit == head && known.Code == "" && known.Current(env) {
		return known
	}
	if env.LatestCommit == head && leader.Settled(state, env, head, env.LatestDigest) {
		return nil
	}
	return p.comparer.Compare(state, env, head, func(deployed string) (*gitsync.Reading, error) {
		if w.planted(MisreadCommit) && w.chance(0.3) {
			return w.plantReading(name, head), nil
		}
		if w.chance(0.03) {
			w.count("unreadable commits")
			return nil, pick(w, []error{gitsync.ErrMissingObject, gitsync.ErrDamaged, gitsync.ErrGarbage})
		}
		reading, err := w.git.read(p.branch, name, head, deployed)
		if err != nil {
			w.count("read errors")
		} else if w.planted(HideRewrite) && reading.Relation == gitsync.Rewritten {
			reading.Relation = gitsync.FastForward
		}
		return reading, err
	})
}

// finish hands the poll to the leader half and waits for the next.
func (p *poller) finish(poll leader.Poll, found []*leader.Candidate) {
	failed := poll.Code != ""
	for _, c := range found {
		failed = failed || c.Code != ""
	}
	wait := p.interval
	if failed {
		p.errors = min(p.errors+1, 3)
		wait *= 1 << p.errors
	} else {
		p.errors = 0
	}
	w := p.t.n.w
	poll.NextPoll = p.t.n.clock() + wait
	p.after(w.between(1, 3), func() {
		p.t.polls[poll.Branch] = poll
		maps.DeleteFunc(p.t.candidates, func(_ string, c *leader.Candidate) bool {
			return poll.Code == "" && c.Branch == poll.Branch
		})
		for _, c := range found {
			p.t.candidates[c.Environment] = c
		}
		p.t.kick(2)
	})
	p.waiting = true
	mine := p.wakes
	p.after(wait, func() { p.resume(mine) })
	if p.kicked || p.hinted() {
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
	if mine := p.wakes; p.waiting && p.hinted() {
		p.after(1, func() { p.resume(mine) })
	}
}

// requested is the newest hint for this branch.
func (p *poller) requested() uint64 {
	state := p.t.n.state
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
	state := p.t.n.state
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

func digestOf(a *fsm.Active) string {
	if a == nil {
		return ""
	}
	return a.Digest
}
