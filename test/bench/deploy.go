package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// reason is the text of 1 KB that admin commands carry.
var reason = string(make1K())

func make1K() []byte {
	text := make([]byte, 1024)
	for i := range text {
		text[i] = "a routine change, announced and agreed upon; "[i%45]
	}
	return text
}

// sampleEvery is how often memory is looked at while something else is measured.
const sampleEvery = 50 * time.Millisecond

// size is a cluster and its content.
type size struct {
	transport     string
	nodes, layers int
}

func (s size) String() string {
	name := fmt.Sprintf("%d-layers/%s", s.layers, s.transport)
	if s.layers == 1 {
		name = "1-layer/" + s.transport
	}
	if s.nodes != nodeCount {
		name += fmt.Sprintf("/%d-nodes", s.nodes)
	}
	return name
}

// deploy measures commits that add a layer, from the sync that is asked for.
func deploy(ctx context.Context, b *bench) error {
	for _, s := range []size{{"file", 3, 1}, {"http", 3, 1}, {"http", 3, 100}, {"http", 5, 1}, {"http", 5, 100}} {
		err := b.deployed(ctx, "deploy", s, 250, func(ctx context.Context, d *deploying, round int) (time.Duration, error) {
			return d.round(ctx, s.layers-1, fmt.Sprintf("added-%d", round))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// deployed measures rounds on a cluster of a size. The first one, which brings all the layers, does not
// count.
func (b *bench) deployed(ctx context.Context, what string, s size, most float64, once func(context.Context, *deploying, int) (time.Duration, error)) error {
	d, end, err := newDeploying(ctx, b, s)
	if err != nil {
		return err
	}
	defer end()
	var times []float64
	for round := range b.rounds + 1 {
		took, err := once(ctx, d, round)
		if err != nil {
			return err
		}
		if round > 0 {
			times = append(times, milliseconds(took))
		}
	}
	var g goal
	if s.layers == 1 {
		g = atMost(most)
	}
	b.add(what+"/"+s.String(), "ms", g, times...)
	return nil
}

// deployLarge measures commits to a catalog of 10,000 layers, and what memory that takes.
func deployLarge(ctx context.Context, b *bench) error {
	d, end, err := newDeploying(ctx, b, size{transport: "http", nodes: nodeCount, layers: 10_000})
	if err != nil {
		return err
	}
	defer end()
	const layers = 9999
	var times, peaks, rests []float64
	watching, stop := context.WithCancel(ctx)
	peak := make(chan []float64, 1)
	go func() { peak <- d.cluster.peaks(watching) }()
	for round := range b.rounds + 1 {
		took, err := d.round(ctx, layers, fmt.Sprintf("added-%d", round))
		if err != nil {
			stop()
			return err
		}
		// The first one brings 10,000 new layers, the others one among 10,000.
		if round > 0 {
			times = append(times, milliseconds(took))
		} else {
			b.add("deploy/10000-layers/first", "ms", atMost(3000), milliseconds(took))
		}
	}
	stop()
	peaks = <-peak
	for _, n := range d.cluster.nodes {
		rests = append(rests, rssOf(n.PID))
	}
	b.add("deploy/10000-layers/one-changed", "ms", atMost(3000), times...)
	b.add("deploy/10000-layers/rss-peak-of-each-node", "MB", always(300), peaks...)
	b.add("deploy/10000-layers/rss-after", "MB", always(300), rests...)
	return nil
}

// deploying is a cluster and its repository.
type deploying struct {
	cluster *running
	repo    *repository
}

func newDeploying(ctx context.Context, b *bench, s size) (*deploying, func(), error) {
	dir := filepath.Join(b.scratch, s.String())
	repo, err := newRepository(filepath.Join(dir, "repository"), "development")
	if err != nil {
		return nil, nil, err
	}
	url := repo.fileURL()
	if s.transport == "http" {
		url = repo.httpURL()
	}
	cluster, err := startCluster(ctx, b.program, plan{
		dir: filepath.Join(dir, "cluster"), repository: url, environments: []string{"development"}, pollSeconds: neverSeconds,
		webhookSecret: hookSecret, nodes: s.nodes,
	})
	if err != nil {
		repo.close()
		return nil, nil, err
	}
	return &deploying{cluster, repo}, func() { cluster.stop(); repo.close() }, nil
}

// round commits, asks for a sync and measures from there until every node serves the new layer.
func (d *deploying) round(ctx context.Context, layers int, added string) (time.Duration, error) {
	return d.triggered(ctx, layers, added, func(all *client.Client) error {
		_, err := all.Environments().SyncEnvironment(ctx, &pb.SyncEnvironmentRequest{Environment: "development"})
		return err
	})
}

// triggered is a round that begins with something else than a sync.
func (d *deploying) triggered(ctx context.Context, layers int, added string, trigger func(*client.Client) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	all, err := d.cluster.client(0)
	if err != nil {
		return 0, err
	}
	defer all.Close()
	d.repo.addLayer(layers, added)
	// The connection is made beforehand: a client that is in use has one.
	if _, err := all.Cluster().GetStatus(ctx, &pb.GetStatusRequest{}); err != nil {
		return 0, err
	}
	rest(ctx, 500*time.Millisecond)
	begun := time.Now()
	if err := trigger(all); err != nil {
		return 0, err
	}
	var waiting sync.WaitGroup
	errs := make([]error, len(d.cluster.nodes))
	for i, n := range d.cluster.nodes {
		waiting.Go(func() { errs[i] = n.awaitServed(ctx, "/ogc/collections/"+added) })
	}
	waiting.Wait()
	took := time.Since(begun)
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	return took, d.cluster.awaitCompleted(ctx)
}

// peaks samples the memory of every node, with its children, until the context ends.
func (c *running) peaks(ctx context.Context) []float64 {
	most := make([]float64, len(c.nodes))
	for {
		for i, n := range c.nodes {
			most[i] = max(most[i], rssOf(n.PID))
		}
		if !rest(ctx, sampleEvery) {
			return most
		}
	}
}
