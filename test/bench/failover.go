package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	"github.com/honua-io/honua-gitops/internal/scaffold"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// settleLeast and settleMost is how long a healthy cluster is left alone before its leader dies, so that the
	// moment falls anywhere between two heartbeats.
	settleLeast, settleMost = 300 * time.Millisecond, 600 * time.Millisecond
	writeWithin             = 20 * time.Second
)

// failover kills leaders, in turn one of a cluster and one of bare raft.
func failover(ctx context.Context, b *bench) error {
	cluster, bare, end, err := startBoth(ctx, b)
	if err != nil {
		return err
	}
	defer end()
	var honua, alone []float64
	for round := range b.rounds {
		took, err := killLeader(ctx, cluster, round)
		if err != nil {
			return err
		}
		honua = append(honua, milliseconds(took))
		if took, err = killBareLeader(ctx, bare); err != nil {
			return err
		}
		alone = append(alone, milliseconds(took))
	}
	b.add("failover/honua", "ms", always(1000), honua...)
	b.add("failover/bare", "ms", goal{}, alone...)
	b.add("failover/difference-of-medians", "ms", atMost(60), median(honua)-median(alone))
	return nil
}

func startBoth(ctx context.Context, b *bench) (*running, *bareCluster, func(), error) {
	cluster, end, err := b.small(ctx, neverSeconds)
	if err != nil {
		return nil, nil, nil, err
	}
	bare, err := startBare(ctx, b.scratch)
	if err != nil {
		end()
		return nil, nil, nil, err
	}
	return cluster, bare, func() { bare.stop(); end() }, nil
}

// small starts a cluster with the example configuration of one environment.
func (b *bench) small(ctx context.Context, pollSeconds int) (*running, func(), error) {
	return b.smallOf(ctx, pollSeconds, scaffold.Files)
}

// smallOf is small with an example of another kind.
func (b *bench) smallOf(ctx context.Context, pollSeconds int, example func() ([]scaffold.File, error)) (*running, func(), error) {
	repo, err := newRepositoryOf(filepath.Join(b.scratch, "repository"), "development", example)
	if err != nil {
		return nil, nil, err
	}
	cluster, err := startCluster(ctx, b.program, plan{
		dir: filepath.Join(b.scratch, "cluster"), repository: repo.fileURL(),
		environments: []string{"development"}, pollSeconds: pollSeconds,
	})
	if err != nil {
		repo.close()
		return nil, nil, err
	}
	return cluster, func() { cluster.stop(); repo.close() }, nil
}

// killLeader measures from the kill to the next write that a client of all three nodes gets accepted. The node that
// the client talks to is another one in each round.
func killLeader(ctx context.Context, cluster *running, round int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, writeWithin+readyWithin)
	defer cancel()
	all, err := cluster.client(round)
	if err != nil {
		return 0, err
	}
	defer all.Close()
	if err := write(ctx, all, "development", round); err != nil {
		return 0, err
	}
	leader, err := cluster.leader(ctx)
	if err != nil {
		return 0, err
	}
	rest(ctx, settleLeast+rand.N(settleMost-settleLeast))
	begun := time.Now()
	if err := leader.signal(syscall.SIGKILL); err != nil {
		return 0, err
	}
	if err := write(ctx, all, "development", round+1); err != nil {
		return 0, fmt.Errorf("write after the kill: %w", err)
	}
	took := time.Since(begun)
	<-leader.Ended()
	return took, errors.Join(leader.start(), leader.awaitReady(ctx), cluster.awaitHealthy(ctx))
}

// write makes a change that is replicated.
func write(ctx context.Context, to *client.Client, environment string, n int) error {
	if n%2 == 0 {
		_, err := to.Environments().PauseEnvironment(ctx, &pb.PauseEnvironmentRequest{Environment: environment, Reason: reason})
		return err
	}
	_, err := to.Environments().ResumeEnvironment(ctx, &pb.ResumeEnvironmentRequest{Environment: environment, Reason: reason})
	return err
}

func killBareLeader(ctx context.Context, bare *bareCluster) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if err := bare.write(ctx); err != nil {
		return 0, err
	}
	leader, err := bare.leader()
	if err != nil {
		return 0, err
	}
	rest(ctx, settleLeast+rand.N(settleMost-settleLeast))
	begun := time.Now()
	if err := leader.signal(syscall.SIGKILL); err != nil {
		return 0, err
	}
	if err := bare.write(ctx); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	<-leader.Ended()
	if err := leader.start(); err != nil {
		return 0, err
	}
	// It answers once it runs; it follows within a heartbeat.
	for {
		if _, err := leader.ask("leader"); err == nil {
			break
		}
		if !rest(ctx, 10*time.Millisecond) {
			return 0, ctx.Err()
		}
	}
	rest(ctx, time.Second)
	return took, nil
}

// graceful stops leaders in order while one client writes without a pause.
func graceful(ctx context.Context, b *bench) error {
	cluster, end, err := b.small(ctx, neverSeconds)
	if err != nil {
		return err
	}
	defer end()
	var gaps, usual []float64
	for round := range b.rounds {
		longest, typical, err := stopLeader(ctx, cluster, round)
		if err != nil {
			return err
		}
		gaps = append(gaps, milliseconds(longest))
		usual = append(usual, milliseconds(typical))
	}
	b.add("graceful/longest-gap", "ms", always(30), gaps...)
	b.add("graceful/gap-before", "ms", goal{}, usual...)
	return nil
}

// stopLeader returns the longest gap between two accepted writes during the stop, and in the second before it.
func stopLeader(ctx context.Context, cluster *running, round int) (during, before time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeWithin+readyWithin)
	defer cancel()
	leader, err := cluster.leader(ctx)
	if err != nil {
		return 0, 0, err
	}
	all, err := cluster.client(round)
	if err != nil {
		return 0, 0, err
	}
	defer all.Close()
	writing, stop := context.WithCancel(ctx)
	times, failed := make(chan []time.Time, 1), make(chan error, 1)
	go func() {
		var accepted []time.Time
		for n := 0; writing.Err() == nil; n++ {
			if err := write(ctx, all, "development", n); err != nil {
				failed <- err
				break
			}
			accepted = append(accepted, time.Now())
		}
		times <- accepted
	}()
	rest(ctx, time.Second)
	begun := time.Now()
	err = leader.signal(syscall.SIGTERM)
	<-leader.Ended()
	rest(ctx, 500*time.Millisecond)
	stop()
	accepted := <-times
	select {
	case problem := <-failed:
		return 0, 0, problem
	default:
	}
	before, during = longestGap(accepted, func(at time.Time) bool { return at.Before(begun) }), longestGap(accepted, begun.Before)
	return during, before, errors.Join(err, leader.start(), leader.awaitReady(ctx), cluster.awaitHealthy(ctx))
}

// longestGap looks at the gaps that end at a time of interest.
func longestGap(times []time.Time, of func(time.Time) bool) time.Duration {
	longest := time.Duration(0)
	for i := 1; i < len(times); i++ {
		if of(times[i]) {
			longest = max(longest, times[i].Sub(times[i-1]))
		}
	}
	return longest
}
