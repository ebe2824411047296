package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/scaffold"
)

const (
	connections  = 8
	featureCount = 20_000
	// askFor is how long one round of requests takes.
	askFor = 2 * time.Second
)

// asking is one kind of request, sent over and over.
type asking struct {
	name string
	path func() string
	rate goal
}

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
	// Ten times, one and a half times and three times what pg_featureserv answers on a quiet machine of this kind.
	return b.ask(ctx, map[string]int{"node": cluster.nodes[0].PID}, cluster.nodes[0].http, []asking{
		{"features/collections", func() string { return collectionsPath }, atLeast(23_500)},
		{"features/items-10", randomPage(itemsPath, area{120, 60, 500}, 10), atLeast(8_850)},
		{"features/items-1000", randomPage(itemsPath, area{120, 60, 500}, 1000), atLeast(615)},
	})
}

// ask sends each kind of request in turn and reports how many are answered in a second, how long that takes, and how
// much CPU it costs whom: the processes given by name, and this one, the client.
func (b *bench) ask(ctx context.Context, processes map[string]int, host string, loads []asking) error {
	for _, load := range loads {
		measured, err := requests(ctx, b.rounds, processes, host, load.path)
		if err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		took := summarise(measured.latencies)
		b.add(load.name+"/rate", "per-s", load.rate, measured.rates...)
		b.add(load.name+"/p50", "ms", goal{}, took.Median)
		b.add(load.name+"/p99", "ms", goal{}, took.P99)
		for _, name := range slices.Sorted(maps.Keys(measured.cpu)) {
			b.add(load.name+"/cpu-"+name, "us", goal{}, measured.cpu[name]...)
		}
	}
	return nil
}

const (
	collectionsPath = "/ogc/collections"
	itemsPath       = collectionsPath + "/cities/items"
)

// area is where pages are asked for: a box of that many degrees somewhere in the world, and an offset below a number.
type area struct {
	width, height float64
	offsets       int
}

// randomPage asks for up to so many features somewhere.
func randomPage(items string, in area, limit int) func() string {
	return func() string {
		west, south := rand.Float64()*(360-in.width)-180, rand.Float64()*(180-in.height)-90
		return fmt.Sprintf("%s?limit=%d&offset=%d&bbox=%.3f,%.3f,%.3f,%.3f",
			items, limit, rand.IntN(in.offsets), west, south, west+in.width, south+in.height)
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

// answered is what requests of one kind came to.
type answered struct {
	rates, latencies []float64
	// cpu is the microseconds of CPU that one request cost, round by round, by who spent them.
	cpu map[string][]float64
}

func requests(ctx context.Context, rounds int, processes map[string]int, host string, path func() string) (answered, error) {
	a := answered{cpu: map[string][]float64{}}
	for round := range rounds + 1 {
		before := spent(processes)
		begun := time.Now()
		took, err := requestsUntil(ctx, begun.Add(askFor), host, path)
		if err != nil {
			return a, err
		}
		if round == 0 {
			continue
		}
		a.rates = append(a.rates, float64(len(took))/time.Since(begun).Seconds())
		a.latencies = append(a.latencies, took...)
		for name, after := range spent(processes) {
			a.cpu[name] = append(a.cpu[name], float64((after-before[name]).Microseconds())/float64(len(took)))
		}
	}
	return a, nil
}

// spent is the CPU time of processes with their children, and of this one without, whose children they are. What is
// not known on this system is left out.
func spent(processes map[string]int) map[string]time.Duration {
	times := map[string]time.Duration{}
	if own, err := ownCPU(); err == nil {
		times["client"] = own
	}
	for name, pid := range processes {
		if cpu, err := cpuOf(pid); err == nil {
			times[name] = cpu
		}
	}
	return times
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
