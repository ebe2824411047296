package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// window is how long one round of a throughput measurement takes.
	window = 5 * time.Second
	// manyClients and manyEnvironments are those of a busy afternoon.
	manyClients      = 32
	manyEnvironments = 64
)

// operation is what a client does over and over.
type operation func(ctx context.Context, to *client.Client, worker, n int) error

// writes measures throughput and latency through the public API.
func writes(ctx context.Context, b *bench) error {
	cluster, end, err := manyEnvironmentsCluster(ctx, b)
	if err != nil {
		return err
	}
	defer end()
	leader, err := cluster.leader(ctx)
	if err != nil {
		return err
	}
	at := 0
	for i, n := range cluster.nodes {
		if n == leader {
			at = i
		}
	}
	for _, load := range []struct {
		name    string
		clients int
		// first is the node that a client begins with.
		first func(worker int) int
		do    operation
		goal  goal
	}{
		{"writes/32-clients/at-the-leader", manyClients, func(int) int { return at }, toggle, atLeast(2500)},
		{"writes/32-clients/at-all-nodes", manyClients, func(w int) int { return w }, toggle, goal{}},
		{"writes/1-client/at-the-leader", 1, func(int) int { return at }, toggle, goal{}},
		{"writes/1-client/at-a-follower", 1, func(int) int { return at + 1 }, toggle, goal{}},
		{"reads/32-clients/linearizable", manyClients, func(w int) int { return w }, read(pb.Consistency_CONSISTENCY_LINEARIZABLE), goal{}},
		{"reads/32-clients/stale", manyClients, func(w int) int { return w }, read(pb.Consistency_CONSISTENCY_STALE), goal{}},
		{"reads/1-client/linearizable", 1, func(int) int { return at + 1 }, read(pb.Consistency_CONSISTENCY_LINEARIZABLE), goal{}},
		{"reads/1-client/stale", 1, func(int) int { return at + 1 }, read(pb.Consistency_CONSISTENCY_STALE), goal{}},
	} {
		spent, err := cpuWithNodes()
		if err != nil {
			return err
		}
		rates, latencies, err := hammer(ctx, cluster, b.rounds, load.clients, load.first, load.do)
		if err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		after, err := cpuWithNodes()
		if err != nil {
			return err
		}
		all := summarise(latencies)
		b.add(load.name+"/rate", "per-s", load.goal, rates...)
		b.add(load.name+"/cpu-with-clients", "ms", goal{}, milliseconds(after-spent)/float64(len(latencies)))
		b.add(load.name+"/p50", "ms", goal{}, all.Median)
		b.add(load.name+"/p99", "ms", goal{}, all.P99)
	}
	return nil
}

func manyEnvironmentsCluster(ctx context.Context, b *bench) (*running, func(), error) {
	repo, err := newRepository(filepath.Join(b.scratch, "repository"), "development")
	if err != nil {
		return nil, nil, err
	}
	names := []string{"development"}
	for i := range manyEnvironments {
		names = append(names, environmentName(i))
	}
	cluster, err := startCluster(ctx, b.program, plan{
		dir: filepath.Join(b.scratch, "cluster"), repository: repo.fileURL(), environments: names, pollSeconds: neverSeconds,
	})
	if err != nil {
		repo.close()
		return nil, nil, err
	}
	return cluster, func() { cluster.stop(); repo.close() }, nil
}

func environmentName(i int) string { return fmt.Sprintf("environment-%03d", i) }

// toggle pauses an environment of the worker's own, or resumes it.
func toggle(ctx context.Context, to *client.Client, worker, n int) error {
	return write(ctx, to, environmentName((worker+n/2*manyClients)%manyEnvironments), n)
}

func read(consistency pb.Consistency) operation {
	return func(ctx context.Context, to *client.Client, worker, _ int) error {
		_, err := to.Environments().GetEnvironment(ctx, &pb.GetEnvironmentRequest{Name: environmentName(worker), Consistency: consistency})
		return err
	}
}

// cpuWithNodes is the CPU time of the clients, which are in this process, and of all nodes, which are its children.
// Unlike a rate, what an operation takes of it hardly depends on what else the machine does.
func cpuWithNodes() (time.Duration, error) { return cpuOf(os.Getpid()) }

// hammer has clients of their own connections repeat an operation, and returns the rate of each round and all
// latencies in milliseconds.
func hammer(ctx context.Context, c *running, rounds, clients int, first func(int) int, do operation) (rates, latencies []float64, err error) {
	all := make([]*client.Client, clients)
	for w := range all {
		if all[w], err = c.client(first(w)); err != nil {
			return nil, nil, err
		}
		defer all[w].Close() //nolint:revive // they are used until the function ends
	}
	for range rounds {
		begun := time.Now()
		took, err := volley(ctx, all, begun.Add(window), do)
		if err != nil {
			return nil, nil, err
		}
		rates = append(rates, float64(len(took))/time.Since(begun).Seconds())
		latencies = append(latencies, took...)
	}
	return rates, latencies, nil
}

func volley(ctx context.Context, clients []*client.Client, until time.Time, do operation) ([]float64, error) {
	var all sync.WaitGroup
	took, errs := make([][]float64, len(clients)), make([]error, len(clients))
	for w, to := range clients {
		all.Go(func() {
			for n := 0; time.Now().Before(until) && ctx.Err() == nil; n++ {
				begun := time.Now()
				if errs[w] = do(ctx, to, w, n); errs[w] != nil {
					return
				}
				took[w] = append(took[w], milliseconds(time.Since(begun)))
			}
		})
	}
	all.Wait()
	var together []float64
	for _, t := range took {
		together = append(together, t...)
	}
	return together, errors.Join(errors.Join(errs...), ctx.Err())
}
