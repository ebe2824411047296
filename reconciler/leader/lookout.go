package leader

import (
	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
)

// Lookout is what watching one branch comes to know. Like Desk it does nothing
// by itself, and belongs to one goroutine: the poller's, or the simulator's.
type Lookout struct {
	branch   string
	settings *fsm.Settings
	// models are the meaning of what each environment serves, known what the head meant.
	models map[string]*base
	known  map[string]*Candidate
	// seen is the newest hint that a poll of this branch began after.
	seen     uint64
	failures int
}

// NewLookout watches a branch that the settings name.
func NewLookout(settings *fsm.Settings, branch string) *Lookout {
	return &Lookout{branch: branch, settings: settings, models: map[string]*base{}, known: map[string]*Candidate{}}
}

// Branches are the branches that settings name, each once.
func Branches(settings *fsm.Settings) []string {
	var branches []string
	seen := map[string]bool{}
	for _, e := range settings.Environments {
		if !seen[e.Branch] {
			seen[e.Branch] = true
			branches = append(branches, e.Branch)
		}
	}
	return branches
}

// watches reports whether an environment follows the branch.
func (l *Lookout) watches(env *fsm.Environment) bool { return env.Branch == l.branch && !env.Retired }

// Watched are the environments of a state that follow the branch.
func (l *Lookout) Watched(state *fsm.State) []*fsm.Environment {
	var watched []*fsm.Environment
	for env := range state.Environments() {
		if l.watches(env) {
			watched = append(watched, env)
		}
	}
	return watched
}

// Begin is a poll that begins now: it answers every hint so far.
func (l *Lookout) Begin(state *fsm.State) Poll {
	l.seen = state.Meta().PollGeneration
	poll := Poll{Branch: l.branch}
	for env := range state.Environments() {
		if l.watches(env) {
			poll.Generation = max(poll.Generation, env.PollRequested)
		}
	}
	return poll
}

// Hinted reports whether somebody asked for a poll since the last one began.
func (l *Lookout) Hinted(state *fsm.State) bool {
	if state.Meta().PollGeneration <= l.seen {
		return false
	}
	for env := range state.Environments() {
		if l.watches(env) && env.PollRequested > l.seen {
			return true
		}
	}
	l.seen = state.Meta().PollGeneration
	return false
}

// Failures counts a poll that ended, and returns how many in a row came to nothing.
func (l *Lookout) Failures(poll Poll, found []*Candidate) int {
	failed := poll.Code != ""
	for _, c := range found {
		failed = failed || c.Code != ""
	}
	if failed {
		l.failures++
	} else {
		l.failures = 0
	}
	return l.failures
}

// Finding is what the head means for one environment.
type Finding struct {
	// Candidate is nil if the replicated state says it already.
	Candidate *Candidate
	// Reading is what was read for it, nil if nothing was; Err is why not.
	Reading *gitsync.Reading
	Err     error
}

// Unsettled is an environment for which the head has to be read.
type Unsettled struct {
	Request gitsync.Request
	base    base
}

// Look says what is known of the head for an environment, or what has to be asked of the repository.
func (l *Lookout) Look(state *fsm.State, env *fsm.Environment, head string) (Finding, *Unsettled) {
	if known := l.known[env.Name]; known != nil && known.Commit == head && known.Code == "" && !known.Unsigned && known.Current(env) {
		return Finding{Candidate: known}, nil
	}
	if env.LatestCommit == head && Settled(state, env, head, env.LatestDigest) {
		return Finding{}, nil
	}
	b, err := l.base(state, env)
	if err != nil {
		return l.learn(Finding{Candidate: unread(env.Name, l.branch, head, *b, err)}), nil
	}
	return Finding{}, &Unsettled{base: *b, Request: gitsync.Request{
		Commit: head, Deployed: b.commit, Environment: env.Name, Verification: verification(l.settings, env.Name),
	}}
}

// Judge says what an answer of the repository means.
func (l *Lookout) Judge(u *Unsettled, reading *gitsync.Reading, err error) Finding {
	environment, head, wanted := u.Request.Environment, u.Request.Commit, u.Request.Verification
	switch {
	case err != nil && gitsync.KindOf(err) == gitsync.Content:
		return l.learn(Finding{Candidate: refused(environment, l.branch, head, u.base, err), Err: err})
	case err != nil:
		return l.learn(Finding{Candidate: unread(environment, l.branch, head, u.base, err), Err: err})
	case wanted.Mode == gitsync.VerifyRequired && reading.Signature.Status != gitsync.SignatureGood:
		return l.learn(Finding{Candidate: unsigned(environment, l.branch, u.base, reading), Reading: reading})
	default:
		return l.learn(Finding{Candidate: prepare(environment, l.branch, u.base, reading), Reading: reading})
	}
}

func (l *Lookout) learn(found Finding) Finding {
	l.known[found.Candidate.Environment] = found.Candidate
	return found
}

// Find is Look and Judge for one environment alone; read asks the repository.
func (l *Lookout) Find(state *fsm.State, env *fsm.Environment, head string, read func(gitsync.Request) (*gitsync.Reading, error)) Finding {
	found, open := l.Look(state, env, head)
	if open == nil {
		return found
	}
	reading, err := read(open.Request)
	return l.Judge(open, reading, err)
}
