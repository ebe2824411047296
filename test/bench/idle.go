package main

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// idleFor is how long one idle round watches.
const idleFor = 30 * time.Second

// idle compares a cluster that polls every second with one that does not. The leader is the node that takes the most, in
// either.
func idle(ctx context.Context, b *bench) error {
	repo, err := newRepository(filepath.Join(b.scratch, "repository"), "development")
	if err != nil {
		return err
	}
	defer repo.close()
	var clusters []*running
	for _, seconds := range []int{1, neverSeconds} {
		c, err := startCluster(ctx, b.program, plan{
			dir: filepath.Join(b.scratch, "polling", time.Duration(seconds).String()), repository: repo.httpURL(),
			environments: []string{"development"}, pollSeconds: seconds,
		})
		if err != nil {
			return err
		}
		defer c.stop() //nolint:revive // two clusters, which run until the measurement ends
		clusters = append(clusters, c)
	}
	var perPoll, leading, share, memory []float64
	for range b.rounds {
		polls := repo.server.Requests(gitserver.List)
		spent, err := cpuDuring(ctx, idleFor, clusters...)
		if err != nil {
			return err
		}
		polls = repo.server.Requests(gitserver.List) - polls
		each := func(d time.Duration) float64 { return milliseconds(d) / float64(max(1, polls)) }
		perPoll = append(perPoll, each(sum(spent[0])-sum(spent[1])))
		leading = append(leading, each(slices.Max(spent[0])-slices.Max(spent[1])))
		share = append(share, 100*sum(spent[1]).Seconds()/idleFor.Seconds()/nodeCount)
	}
	for _, n := range clusters[0].nodes {
		memory = append(memory, rssOf(n.PID))
	}
	b.add("idle/cpu-of-a-poll-at-the-leader", "ms", atMost(5), leading...)
	b.add("idle/cpu-of-a-poll-all-nodes", "ms", goal{}, perPoll...)
	b.add("idle/cpu-of-a-node-without-polls", "%", goal{}, share...)
	b.add("idle/rss-of-each-node", "MB", always(80), memory...)
	return nil
}

// cpuDuring is the CPU time that each node of each cluster takes in a while.
func cpuDuring(ctx context.Context, d time.Duration, clusters ...*running) ([][]time.Duration, error) {
	before, err := cpuOfAll(clusters)
	if err != nil {
		return nil, err
	}
	if !rest(ctx, d) {
		return nil, ctx.Err()
	}
	after, err := cpuOfAll(clusters)
	if err != nil {
		return nil, err
	}
	for i := range before {
		for j := range before[i] {
			before[i][j] = after[i][j] - before[i][j]
		}
	}
	return before, nil
}

func cpuOfAll(clusters []*running) ([][]time.Duration, error) {
	all := make([][]time.Duration, len(clusters))
	for i, c := range clusters {
		for _, n := range c.nodes {
			spent, err := cpuOf(n.PID)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], spent)
		}
	}
	return all, nil
}

func sum(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}
