package gitsync

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// readCommit reads everything about an environment at a commit that is in the store.
func readCommit(ctx context.Context, store *objects, request Request, limits Limits, keys Keys) (*Reading, error) {
	head, err := store.commit(plumbing.NewHash(request.Commit))
	if errors.Is(err, ErrMissingObject) {
		return nil, fmt.Errorf("%w: %s", ErrCommitNotFound, request.Commit)
	}
	if err != nil {
		return nil, err
	}
	parts, err := store.roots(head.tree, request.Environment)
	if err != nil {
		return nil, err
	}
	reading := &Reading{Commit: head.info}
	if err := reading.collect(ctx, store, parts, request.Environment, limits); err != nil {
		return nil, err
	}
	line, err := store.lineage(ctx, request.Commit, request.Deployed)
	if err != nil {
		return nil, err
	}
	reading.Relation, reading.RewrittenAway = line.relation, line.away
	reading.Contributors, reading.ContributorsUnknown, reading.Truncated = line.people, line.truncated, line.truncated
	if err := reading.verify(ctx, store, line, checking{request.Verification, keys}); err != nil {
		return nil, err
	}
	return reading, reading.compare(ctx, store, head, parts, request)
}

func (r *Reading) collect(ctx context.Context, store *objects, parts roots, environment string, limits Limits) error {
	c := collector{store: store, limits: limits, gather: gathering{limits: limits}}
	if !parts.policy.IsZero() {
		policy, err := store.blob(parts.policy, policyFolder+"/"+policyFile, min(maxPolicyBytes, limits.MaxFileBytes))
		if err != nil {
			return err
		}
		r.Policy = policy
	}
	if err := c.folder(ctx, parts.environment, environmentsFolder+"/"+environment, 1); err != nil {
		return err
	}
	r.NoEnvironment = len(c.gather.files) == 0
	if err := c.folder(ctx, parts.common, environmentsFolder+"/"+commonFolder, 1); err != nil {
		return err
	}
	r.Files = c.gather.sorted()
	return nil
}

// compare counts what changed since the deployed commit, if that is still there.
func (r *Reading) compare(ctx context.Context, store *objects, head commit, parts roots, request Request) error {
	var before commit
	var old roots
	if request.Deployed != "" {
		found, err := store.commit(plumbing.NewHash(request.Deployed))
		if err != nil && !errors.Is(err, ErrMissingObject) {
			return err
		}
		before = found
	}
	compared := !before.tree.IsZero()
	if compared {
		// What is wrong with the old tree was dealt with when it was deployed.
		found, err := store.roots(before.tree, request.Environment)
		if err != nil && KindOf(err) != Content {
			return err
		}
		old = found
	}
	d := newDiffer(store)
	var err error
	if r.ChangedFiles, err = d.count(ctx, before.tree, head.tree, 0); err != nil {
		return err
	}
	r.RelevantFiles, err = d.relevant(ctx, old, parts)
	if !compared {
		r.RelevantFiles = r.fileCount()
	}
	r.Truncated = r.Truncated || d.truncated
	return err
}

func (r *Reading) fileCount() int {
	if r.Policy != nil {
		return len(r.Files) + 1
	}
	return len(r.Files)
}

// relevant counts changes in the parts that an environment is made of.
func (d *differ) relevant(ctx context.Context, from, to roots) (int, error) {
	total := 0
	if from.policy != to.policy {
		total++
	}
	for _, pair := range [][2]plumbing.Hash{{from.environment, to.environment}, {from.common, to.common}} {
		n, err := d.count(ctx, pair[0], pair[1], 1)
		if err != nil {
			return 0, err
		}
		total = addCount(total, n)
	}
	return total, nil
}
