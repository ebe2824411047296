package sim

import (
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/gitsync"
)

// commit is one commit of the simulated repository.
type commit struct {
	sha    string
	parent int
	author string
	// content is what each environment is at this commit; nil is no folder.
	content map[string]*variant
}

// branch is one branch: its head is a number of a commit.
type branch struct {
	name    string
	head    int
	deleted bool
	// fault is what the next questions come to; nil if they are answered.
	fault error
}

// git is the watched repository.
type git struct {
	commits  []*commit
	bySHA    map[string]int
	branches map[string]*branch
}

func newGit() *git { return &git{bySHA: map[string]int{}, branches: map[string]*branch{}} }

// add makes a commit on top of a parent; -1 for none.
func (g *git) add(parent int, author string, content map[string]*variant) int {
	n := len(g.commits)
	c := &commit{sha: fmt.Sprintf("%07x%033x", 0xa000000+n, n), parent: parent, author: author, content: content}
	g.commits = append(g.commits, c)
	g.bySHA[c.sha] = n
	return n
}

func (g *git) headOf(name string) (*commit, bool) {
	b := g.branches[name]
	if b == nil || b.deleted {
		return nil, false
	}
	return g.commits[b.head], true
}

// contains reports whether an ancestor is in the history of a commit.
func (g *git) contains(n, ancestor int) bool {
	for ; n >= 0; n = g.commits[n].parent {
		if n == ancestor {
			return true
		}
	}
	return false
}

// relation is how a commit follows what is deployed.
func (g *git) relation(sha, deployed string) gitsync.Relation {
	old, known := g.bySHA[deployed]
	switch {
	case deployed == "":
		return gitsync.New
	case deployed == sha:
		return gitsync.Same
	case known && g.contains(g.bySHA[sha], old):
		return gitsync.FastForward
	default:
		return gitsync.Rewritten
	}
}

// askHead is the cheap question for a branch's head.
func (g *git) askHead(name string) (string, error) {
	b := g.branches[name]
	switch {
	case b == nil || b.deleted:
		return "", gitsync.ErrBranchNotFound
	case b.fault != nil:
		return "", b.fault
	}
	return g.commits[b.head].sha, nil
}

// read answers what a commit holds for an environment.
func (g *git) read(branchName, environment, sha, deployed string) (*gitsync.Reading, error) {
	if fault := g.branches[branchName].fault; fault != nil {
		return nil, fault
	}
	n, known := g.bySHA[sha]
	if !known {
		return nil, gitsync.ErrCommitNotFound
	}
	c := g.commits[n]
	r := &gitsync.Reading{
		Commit:   gitsync.CommitInfo{SHA: sha, Author: c.author, AuthorEmail: c.author + "@example.org", Message: "change " + sha[:7], Time: time.UnixMilli(epochMs)},
		Relation: g.relation(sha, deployed),
	}
	v := c.content[environment]
	if v == nil {
		r.NoEnvironment = true
	} else {
		r.Files, r.Policy = v.files, v.policy
	}
	r.ChangedFiles, r.RelevantFiles = 1, 1
	r.Contributors = g.contributors(n, deployed)
	if old, ok := g.bySHA[deployed]; ok && r.Relation == gitsync.Rewritten {
		for ; old >= 0 && !g.contains(n, old); old = g.commits[old].parent {
			r.RewrittenAway = append(r.RewrittenAway, gitsync.CommitInfo{SHA: g.commits[old].sha})
		}
	}
	return r, nil
}

// contributors are the authors of what is new in a commit.
func (g *git) contributors(n int, deployed string) []gitsync.Contributor {
	old, known := g.bySHA[deployed]
	var people []gitsync.Contributor
	seen := map[string]bool{}
	for ; n >= 0; n = g.commits[n].parent {
		if known && g.contains(old, n) {
			break
		}
		if author := g.commits[n].author; !seen[author] {
			seen[author] = true
			people = append(people, gitsync.Contributor{Name: author, Email: author + "@example.org", Role: gitsync.Author})
		}
	}
	return people
}
