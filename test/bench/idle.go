package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// idleFor is how long one idle round watches.
const idleFor = 30 * time.Second

// idle compares a cluster that polls every second with one that does not.
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
	var perPoll, share, memory []float64
	for range b.rounds {
		polls := repo.server.Requests(gitserver.List)
		spent, err := cpuDuring(ctx, idleFor, clusters...)
		if err != nil {
			return err
		}
		polls = repo.server.Requests(gitserver.List) - polls
		perPoll = append(perPoll, milliseconds(spent[0]-spent[1])/float64(max(1, polls)))
		share = append(share, 100*spent[1].Seconds()/idleFor.Seconds()/nodeCount)
	}
	for _, n := range clusters[0].nodes {
		memory = append(memory, rssOf(n.PID))
	}
	b.add("idle/cpu-of-a-poll-all-nodes", "ms", atMost(5), perPoll...)
	b.add("idle/cpu-of-a-node-without-polls", "%", goal{}, share...)
	b.add("idle/rss-of-each-node", "MB", always(80), memory...)
	return nil
}

// cpuDuring is the CPU time that each cluster takes in a while.
func cpuDuring(ctx context.Context, d time.Duration, clusters ...*running) ([]time.Duration, error) {
	before, err := cpuOfAll(clusters)
	if err != nil {
		return nil, err
	}
	if !rest(ctx, d) {
		return nil, ctx.Err()
	}
	after, err := cpuOfAll(clusters)
	for i := range before {
		before[i] = after[i] - before[i]
	}
	return before, err
}

func cpuOfAll(clusters []*running) ([]time.Duration, error) {
	totals := make([]time.Duration, len(clusters))
	for i, c := range clusters {
		for _, n := range c.nodes {
			spent, err := cpuOf(n.PID)
			if err != nil {
				return nil, err
			}
			totals[i] += spent
		}
	}
	return totals, nil
}
