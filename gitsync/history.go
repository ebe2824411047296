package gitsync

import (
	"container/heap"
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

const (
	maxHistory       = 50_000
	maxFirstHistory  = 5_000
	maxRewrittenAway = 50
	maxContributors  = 500
	// maxHistoryMessage bounds the messages of all but the commit that is read, in runes.
	maxHistoryMessage = 1_000
)

// paint says from which end a commit can be reached.
type paint int

const (
	fromNew paint = 1 << iota
	fromDeployed
	fromBoth = fromNew | fromDeployed
)

type node struct {
	commit commit
	people []Contributor
	paint  paint
	queued bool
	order  int
}

// history walks back from two commits at once, newest first, until only what both share is left.
// That way it reads what changed since the commits parted, and not the whole history.
type history struct {
	store *objects
	nodes map[plumbing.Hash]*node
	queue nodeQueue
	// open counts queued commits that only one end has reached so far.
	open int
	// order lists the commits in the order in which they were first visited.
	order     []*node
	truncated bool
}

func newHistory(store *objects) *history {
	return &history{store: store, nodes: map[plumbing.Hash]*node{}}
}

// walk visits at most limit commits; beyond that it sets truncated.
func (h *history) walk(ctx context.Context, limit int) error {
	for h.open > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := heap.Pop(&h.queue).(*node)
		n.queued = false
		if n.paint != fromBoth {
			h.open--
		}
		if h.store.shallow[n.commit.info.SHA] {
			h.truncated = h.truncated || len(n.commit.parents) > 0
			continue
		}
		for _, parent := range n.commit.parents {
			if len(h.nodes) >= limit && h.nodes[parent] == nil {
				h.truncated = true
				continue
			}
			if err := h.reach(parent, n.paint); err != nil {
				return err
			}
		}
	}
	return nil
}

// reach paints a commit, and queues it if that is news.
func (h *history) reach(hash plumbing.Hash, with paint) error {
	n := h.nodes[hash]
	if n == nil {
		c, err := h.store.commit(hash)
		if err != nil {
			return err
		}
		n = &node{commit: c, people: c.info.contributors(), order: len(h.order)}
		// Thousands of these are held at once.
		n.commit.info.Message = cleanText(c.info.Message, maxHistoryMessage)
		h.nodes[hash] = n
		h.order = append(h.order, n)
	}
	before := n.paint
	n.paint |= with
	switch {
	case n.paint == before:
		return nil
	case n.queued:
		if n.paint == fromBoth {
			h.open--
		}
		return nil
	}
	n.queued = true
	if n.paint != fromBoth {
		h.open++
	}
	heap.Push(&h.queue, n)
	return nil
}

// lineage is how a commit follows the deployed one.
type lineage struct {
	relation  Relation
	away      []CommitInfo
	people    []Contributor
	truncated bool
	// fresh are the commits that lead to the new one alone, newest first.
	fresh []string
}

// lineage compares a commit with the deployed one ("" for none).
func (o *objects) lineage(ctx context.Context, commit, deployed string) (lineage, error) {
	pair := [2]string{commit, deployed}
	if known, ok := o.lines[pair]; ok {
		return known, nil
	}
	found, err := o.trace(ctx, commit, deployed)
	if err == nil {
		o.lines[pair] = found
	}
	return found, err
}

func (o *objects) trace(ctx context.Context, commit, deployed string) (lineage, error) {
	h := newHistory(o)
	if err := h.reach(plumbing.NewHash(commit), fromNew); err != nil {
		return lineage{}, err
	}
	limit, relation := maxFirstHistory, New
	if deployed != "" {
		limit, relation = maxHistory, Rewritten
		err := h.reach(plumbing.NewHash(deployed), fromDeployed)
		if err != nil && !errors.Is(err, ErrMissingObject) {
			return lineage{}, err
		}
	}
	if err := h.walk(ctx, limit); err != nil {
		return lineage{}, err
	}
	if old := h.nodes[plumbing.NewHash(deployed)]; deployed != "" && old != nil && old.paint == fromBoth {
		relation = FastForward
	}
	if commit == deployed {
		relation = Same
	}
	return h.summary(relation), nil
}

func (h *history) summary(relation Relation) lineage {
	found := lineage{relation: relation, truncated: h.truncated}
	people := newPeople()
	slices.SortStableFunc(h.order, func(a, b *node) int {
		return b.commit.info.Time.Compare(a.commit.info.Time)
	})
	for _, n := range h.order {
		switch {
		case n.paint == fromNew:
			people.add(n.people)
			found.fresh = append(found.fresh, n.commit.info.SHA)
		case n.paint == fromDeployed && len(found.away) < maxRewrittenAway:
			found.away = append(found.away, n.commit.info)
		}
	}
	found.people = people.list
	found.truncated = found.truncated || people.full
	return found
}

// people collects contributors, each role of each address once.
type people struct {
	list []Contributor
	seen map[Contributor]bool
	full bool
}

func newPeople() *people { return &people{seen: map[Contributor]bool{}} }

func (p *people) add(some []Contributor) {
	for _, person := range some {
		key := Contributor{Email: foldName(person.Email), Role: person.Role}
		if person.Email == "" {
			key.Name = person.Name
		}
		if p.seen[key] {
			continue
		}
		if len(p.list) >= maxContributors {
			p.full = true
			return
		}
		p.seen[key] = true
		p.list = append(p.list, person)
	}
}

// nodeQueue is a heap with the newest commit on top.
type nodeQueue []*node

func (q nodeQueue) Len() int { return len(q) }

func (q nodeQueue) Less(a, b int) bool {
	at, bt := q[a].commit.info.Time, q[b].commit.info.Time
	if at.Equal(bt) {
		return q[a].order < q[b].order
	}
	return at.After(bt)
}

func (q nodeQueue) Swap(a, b int) { q[a], q[b] = q[b], q[a] }

// Push implements heap.Interface.
func (q *nodeQueue) Push(x any) { *q = append(*q, x.(*node)) }

// Pop implements heap.Interface.
func (q *nodeQueue) Pop() any {
	last := len(*q) - 1
	n := (*q)[last]
	*q = (*q)[:last]
	return n
}
