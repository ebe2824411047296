package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// lookEvery is the pause between two looks at what a node serves of some environments: an answer costs it some ten
// microseconds for each of them.
func lookEvery(environments int) time.Duration {
	return 20*time.Millisecond + time.Duration(environments)*250*time.Microsecond
}

// environments measures commits that touch every one of many environments.
func environments(ctx context.Context, b *bench) error {
	for _, count := range []int{1, 10, 100, 1000} {
		if err := b.touchAll(ctx, count); err != nil {
			return fmt.Errorf("%d environments: %w", count, err)
		}
	}
	return nil
}

func (b *bench) touchAll(ctx context.Context, count int) error {
	dir := filepath.Join(b.scratch, fmt.Sprint(count))
	var names []string
	for i := range count {
		names = append(names, environmentName(i))
	}
	repo, err := newRepositoryOf(filepath.Join(dir, "repository"), names[0], inEach(names))
	if err != nil {
		return err
	}
	defer repo.close()
	cluster, err := startCluster(ctx, b.program, plan{
		dir: filepath.Join(dir, "cluster"), repository: repo.httpURL(), environments: names, pollSeconds: neverSeconds,
	})
	if err != nil {
		return err
	}
	defer cluster.stop()
	if _, err := cluster.awaitAll(ctx, 0); err != nil {
		return err
	}
	var times, memory []float64
	for round := range b.rounds {
		took, err := cluster.touch(ctx, repo, fmt.Sprintf("Touched %d times", round))
		if err != nil {
			return err
		}
		times = append(times, milliseconds(took))
	}
	for _, n := range cluster.nodes {
		memory = append(memory, rssOf(n.PID))
	}
	name := fmt.Sprintf("environments/%d", count)
	var g goal
	if count == 1000 {
		g = atMost(5000)
	}
	b.add(name+"/touched-by-one-commit", "ms", g, times...)
	b.add(name+"/rss-of-each-node", "MB", goal{}, memory...)
	return nil
}

// inEach is the example's configuration in each of some environments.
func inEach(names []string) func() ([]scaffold.File, error) {
	return func() ([]scaffold.File, error) {
		files, err := scaffold.Files()
		if err != nil {
			return nil, err
		}
		var all []scaffold.File
		for _, f := range files {
			rest, ok := strings.CutPrefix(f.Path, "environments/development/")
			if !ok {
				continue
			}
			for _, name := range names {
				content := strings.ReplaceAll(string(f.Content), "development", name)
				all = append(all, scaffold.File{Path: "environments/" + name + "/" + rest, Content: []byte(content)})
			}
		}
		return all, nil
	}
}

// touch commits a change of every environment, asks for a sync, and measures from there until every node serves all of
// it.
func (c *running) touch(ctx context.Context, repo *repository, title string) (time.Duration, error) {
	all, err := c.client(0)
	if err != nil {
		return 0, err
	}
	defer all.Close()
	before, err := c.awaitAll(ctx, 0)
	if err != nil {
		return 0, err
	}
	for path, content := range repo.files {
		if strings.HasSuffix(path, "/metadata.json") {
			repo.files[path] = retitled(content, title)
		}
	}
	repo.commit(title)
	rest(ctx, 500*time.Millisecond)
	begun := time.Now()
	if _, err := all.Environments().SyncEnvironment(ctx, &pb.SyncEnvironmentRequest{Environment: c.environments[0]}); err != nil {
		return 0, err
	}
	if _, err := c.awaitAll(ctx, before); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	return took, c.awaitCompleted(ctx)
}

// retitled is a metadata.json whose first title is another one.
func retitled(content, title string) string {
	const key = `"title": "`
	from := strings.Index(content, key) + len(key)
	to := from + strings.IndexByte(content[from:], '"')
	return content[:from] + title + content[to:]
}

// awaitAll waits until every node serves an activation of every environment that is newer than an index, and returns
// the newest.
func (c *running) awaitAll(ctx context.Context, after uint64) (newest uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var waiting sync.WaitGroup
	found, errs := make([]uint64, len(c.nodes)), make([]error, len(c.nodes))
	for i, n := range c.nodes {
		waiting.Go(func() { found[i], errs[i] = n.awaitNewer(ctx, len(c.environments), after) })
	}
	waiting.Wait()
	for _, index := range found {
		newest = max(newest, index)
	}
	return newest, errors.Join(errs...)
}

func (n *node) awaitNewer(ctx context.Context, count int, after uint64) (uint64, error) {
	for {
		newer, newest, err := n.newer(ctx, after)
		if err == nil && newer == count {
			return newest, nil
		}
		if !rest(ctx, lookEvery(count)) {
			return 0, fmt.Errorf("%s serves %d of %d environments: %w", n.id, newer, count, errors.Join(err, ctx.Err()))
		}
	}
}

// newer counts the environments of which a node serves an activation that is newer than an index.
func (n *node) newer(ctx context.Context, after uint64) (count int, newest uint64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.http+"/health/ready", nil)
	if err != nil {
		return 0, 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, 0, err
	}
	var document struct {
		Environments []struct{ ServedIndex uint64 }
	}
	err = errors.Join(json.NewDecoder(answer.Body).Decode(&document), drain(answer.Body))
	for _, e := range document.Environments {
		if e.ServedIndex > after {
			count++
		}
		newest = max(newest, e.ServedIndex)
	}
	return count, newest, err
}

// awaitCompleted waits until no deployment is under way.
func (c *running) awaitCompleted(ctx context.Context) error {
	all, err := c.client(0)
	if err != nil {
		return err
	}
	defer all.Close()
	for {
		answer, err := all.Environments().ListEnvironments(ctx, &pb.ListEnvironmentsRequest{})
		if err != nil {
			return err
		}
		under := 0
		for _, e := range answer.GetEnvironments() {
			if e.GetCurrentDeployment().GetState() != pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED {
				under++
			}
		}
		if under == 0 {
			return nil
		}
		if !rest(ctx, lookEvery(len(c.environments))) {
			return fmt.Errorf("%d deployments are under way: %w", under, ctx.Err())
		}
	}
}
