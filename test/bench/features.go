package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
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
	base := "http://" + cluster.nodes[0].http + "/ogc/collections"
	for _, load := range []struct {
		name string
		url  func() string
	}{
		{"features/collections", func() string { return base }},
		{"features/items-10", func() string { return base + "/cities/items?limit=10" }},
		{"features/items-1000-bbox-offset", randomPage(base)},
	} {
		rates, latencies, err := requests(ctx, b.rounds, load.url)
		if err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		b.add(load.name+"/rate", "per-s", goal{}, rates...)
		b.add(load.name+"/p99", "ms", goal{}, summarise(latencies).P99)
	}
	return nil
}

// randomPage asks for up to 1,000 features in a box of a tenth of the world, somewhere.
func randomPage(base string) func() string {
	return func() string {
		west, south := rand.Float64()*240-180, rand.Float64()*120-90
		return fmt.Sprintf("%s/cities/items?limit=1000&offset=%d&bbox=%.3f,%.3f,%.3f,%.3f", base, rand.IntN(500), west, south, west+120, south+60)
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

func requests(ctx context.Context, rounds int, url func() string) (rates, latencies []float64, err error) {
	for round := range rounds + 1 {
		begun := time.Now()
		took, err := requestsUntil(ctx, begun.Add(window), url)
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

func requestsUntil(ctx context.Context, until time.Time, url func() string) ([]float64, error) {
	var all sync.WaitGroup
	took, errs := make([][]float64, connections), make([]error, connections)
	for i := range connections {
		all.Go(func() {
			web := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			defer web.CloseIdleConnections()
			for time.Now().Before(until) && errs[i] == nil {
				begun := time.Now()
				errs[i] = fetch(ctx, web, url())
				took[i] = append(took[i], milliseconds(time.Since(begun)))
			}
		})
	}
	all.Wait()
	var together []float64
	for _, t := range took {
		together = append(together, t...)
	}
	return together, errors.Join(errs...)
}

func fetch(ctx context.Context, web *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := web.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return drain(response.Body)
}
