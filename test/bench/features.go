package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/scaffold"
)

const (
	connections  = 8
	featureCount = 20_000
)

// features asks one node for what it serves, over so many connections, as fast as it answers.
func features(ctx context.Context, b *bench) error {
	cluster, end, err := b.small(ctx, neverSeconds)
	if err != nil {
		return err
	}
	defer end()
	if err := grow(ctx, cluster); err != nil {
		return err
	}
	const base = "/ogc/collections"
	for _, load := range []struct {
		name string
		path func() string
		rate goal
	}{
		// Ten times, one and a half times and three times what pg_featureserv answers on a quiet machine of this kind.
		{"features/collections", func() string { return base }, atLeast(23_500)},
		{"features/items-10", randomPage(base, 10), atLeast(8_850)},
		{"features/items-1000-bbox-offset", randomPage(base, 1000), atLeast(615)},
	} {
		rates, latencies, err := requests(ctx, b.rounds, cluster.nodes[0].http, load.path)
		if err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		took := summarise(latencies)
		b.add(load.name+"/rate", "per-s", load.rate, rates...)
		b.add(load.name+"/p50", "ms", goal{}, took.Median)
		b.add(load.name+"/p99", "ms", goal{}, took.P99)
	}
	return nil
}

// randomPage asks for up to so many features in a third of the world each way, somewhere.
func randomPage(base string, limit int) func() string {
	return func() string {
		west, south := rand.Float64()*240-180, rand.Float64()*120-90
		return fmt.Sprintf("%s/cities/items?limit=%d&offset=%d&bbox=%.3f,%.3f,%.3f,%.3f",
			base, limit, rand.IntN(500), west, south, west+120, south+60)
	}
}

// grow replaces the sample data by more of it, and starts the nodes again so that they see it.
func grow(ctx context.Context, cluster *running) error {
	cluster.stop()
	var text strings.Builder
	text.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range featureCount {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"type":"Feature","id":%d,"geometry":{"type":"Point","coordinates":[%.5f,%.5f]},"properties":{"name":"Settlement %d","population":%d,"country":"Country %d"}}`,
			i, rand.Float64()*360-180, rand.Float64()*180-90, i, rand.IntN(10_000_000), i%200)
	}
	text.WriteString("]}")
	if err := os.WriteFile(filepath.Join(cluster.dataDirectory(), scaffold.CitiesFile), []byte(text.String()), 0o600); err != nil {
		return err
	}
	return errors.Join(cluster.start(), cluster.awaitReady(ctx), cluster.awaitHealthy(ctx))
}

func requests(ctx context.Context, rounds int, host string, path func() string) (rates, latencies []float64, err error) {
	for round := range rounds + 1 {
		begun := time.Now()
		took, err := requestsUntil(ctx, begun.Add(window), host, path)
		if err != nil {
			return nil, nil, err
		}
		if round == 0 {
			continue
		}
		rates = append(rates, float64(len(took))/time.Since(begun).Seconds())
		latencies = append(latencies, took...)
	}
	return rates, latencies, nil
}

func requestsUntil(ctx context.Context, until time.Time, host string, path func() string) ([]float64, error) {
	var all sync.WaitGroup
	took, errs := make([][]float64, connections), make([]error, connections)
	for i := range connections {
		all.Go(func() { took[i], errs[i] = ask(ctx, until, host, path) })
	}
	all.Wait()
	var together []float64
	for _, t := range took {
		together = append(together, t...)
	}
	return together, errors.Join(errs...)
}

// ask keeps one connection busy and returns how long each answer took, in milliseconds.
func ask(ctx context.Context, until time.Time, host string, path func() string) ([]float64, error) {
	connection, err := dialWire(ctx, host)
	if err != nil {
		return nil, err
	}
	defer connection.close()
	var took []float64
	for begun := time.Now(); begun.Before(until) && ctx.Err() == nil; begun = time.Now() {
		if err := connection.get(path()); err != nil {
			return took, err
		}
		took = append(took, milliseconds(time.Since(begun)))
	}
	return took, ctx.Err()
}
