package main

import (
	"context"
	"errors"
	"time"
)

// restart stops everything, and one node, and starts it again.
func restart(ctx context.Context, b *bench) error {
	cluster, end, err := b.small(ctx, neverSeconds)
	if err != nil {
		return err
	}
	defer end()
	whole, begun, err := restarts(ctx, cluster, b.rounds)
	if err != nil {
		return err
	}
	var single []float64
	for round := range b.rounds {
		n := cluster.nodes[round%len(cluster.nodes)]
		n.stop()
		started := time.Now()
		if err := errors.Join(n.start(), n.awaitReady(ctx)); err != nil {
			return err
		}
		single = append(single, milliseconds(time.Since(started)))
		if err := cluster.awaitHealthy(ctx); err != nil {
			return err
		}
	}
	b.add("restart/all/stop-to-ready", "ms", goal{}, whole...)
	b.add("restart/all/start-to-healthy", "ms", goal{}, begun...)
	b.add("restart/one/start-to-ready", "ms", goal{}, single...)
	return nil
}

// restarts measures from the signal that stops all nodes until all are ready again, and from their start until they
// are one healthy cluster with a leader.
func restarts(ctx context.Context, cluster *running, rounds int) (stopToReady, startToHealthy []float64, err error) {
	for range rounds {
		begun := time.Now()
		cluster.stop()
		started := time.Now()
		if err := errors.Join(cluster.start(), cluster.awaitReady(ctx)); err != nil {
			return nil, nil, err
		}
		stopToReady = append(stopToReady, milliseconds(time.Since(begun)))
		if err := cluster.awaitHealthy(ctx); err != nil {
			return nil, nil, err
		}
		startToHealthy = append(startToHealthy, milliseconds(time.Since(started)))
	}
	return stopToReady, startToHealthy, nil
}
