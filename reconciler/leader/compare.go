package leader

import (
	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
)

// Comparer makes candidates of what a repository holds. It remembers the
// meaning of what each environment serves, and belongs to one goroutine.
type Comparer struct {
	models map[string]*base
}

// NewComparer returns a Comparer that remembers nothing.
func NewComparer() *Comparer { return &Comparer{models: map[string]*base{}} }

// Compare reads a commit for an environment and compares it with what the
// environment serves in a state. read is given the commit that is deployed;
// empty if none is. What cannot be read becomes a candidate that says so.
func (c *Comparer) Compare(state *fsm.State, env *fsm.Environment, commit string, read func(deployed string) (*gitsync.Reading, error)) *Candidate {
	b, err := (&poller{models: c.models}).base(state, env)
	if err != nil {
		return unread(env.Name, env.Branch, commit, *b, err)
	}
	reading, err := read(b.commit)
	switch {
	case err != nil && gitsync.KindOf(err) == gitsync.Content:
		return refused(env.Name, env.Branch, commit, *b, err)
	case err != nil:
		return unread(env.Name, env.Branch, commit, *b, err)
	}
	return prepare(env.Name, env.Branch, *b, reading)
}
