//go:build system

package system

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// swapMetadata is the cities with a title of the deployment's and one property more or less.
const swapMetadata = `{"services": [{"id": "gis-service", "title": "GIS Service", "layers": [{"id": "cities", "title": "Deployment %d",
 "datasource": "main-db", "table": "public.cities", "geometryColumn": "geom", "geometryType": "Point", "srid": 4326,
 "properties": [{"name": "name", "type": "string"}%s]}]}]}`

// deployments is few enough for every run of the system tests; make test-swaps has 200.
var deployments = flag.Int("deployments", 20, "how many commits are deployed under load")

// readsEvery is how long each client draws what it got; the clients begin one after the other.
const readsEvery = 200 * time.Millisecond

// 100 clients read items from three nodes while commits are deployed, one after the other: no response fails, and each
// is of one configuration, the one that its header names (I6). A commit is made when clients of every node saw the one
// before it, however fast deployments are.
func TestDeploymentsUnderLoad(t *testing.T) {
	const clients = 100
	newGate(t) // which stays open
	c := harness.Start(t, harness.Options{Idle: true, PollSeconds: 3600, Policies: map[string]harness.Section{
		development: {"RequiresApproval": false, "MinimumRiskLevelForApproval": "Critical"},
	}})
	commit := func(n int) string {
		more := ""
		if n%2 == 1 {
			more = `, {"name": "population", "type": "integer"}`
		}
		c.Repo.Write("environments/development/metadata.json", fmt.Sprintf(swapMetadata, n, more))
		c.Repo.Write("environments/development/datasources.json", citySources)
		return c.Repo.Commit(fmt.Sprintf("Deployment %d", n))
	}
	first := commit(0)
	for _, node := range c.Nodes {
		node.Start()
	}
	digest := c.AwaitServed(development, first).GetActiveDigest()
	properties := map[string]int{digest: 1}
	ctx, stop := context.WithCancel(t.Context())
	readers := &swapReaders{seen: map[string]map[string]int{}}
	var group sync.WaitGroup
	finish := func() { stop(); group.Wait() }
	defer finish()
	for i := range clients {
		begin := readsEvery * time.Duration(i) / clients
		group.Go(func() { readers.read(ctx, t, begin, c.Nodes[i%len(c.Nodes)]) })
	}
	seen := func() error { return readers.sawEverywhere(digest, len(c.Nodes)) }
	harness.Eventually(t, 30*time.Second, func() error { return errors.Join(readers.answered(clients), seen()) })
	for n := 1; n <= *deployments && !t.Failed(); n++ {
		made := commit(n)
		_, err := c.Client().Environments().SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: development})
		must(t, err)
		digest = c.AwaitServed(development, made).GetActiveDigest()
		properties[digest] = 1 + n%2
		harness.Eventually(t, 30*time.Second, seen)
	}
	finish()
	readers.check(t, properties)
}

// swapReaders are what clients saw: how many properties features had, by digest and node.
type swapReaders struct {
	answers atomic.Int64

	mu   sync.Mutex
	seen map[string]map[string]int
}

// answered returns an error until there were so many answers.
func (r *swapReaders) answered(least int64) error {
	if n := r.answers.Load(); n < least {
		return fmt.Errorf("%d answers, not %d", n, least)
	}
	return nil
}

// saw notes an answer of a node; another of the same digest there must have had as many properties.
func (r *swapReaders) saw(node, digest string, properties int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[digest] == nil {
		r.seen[digest] = map[string]int{}
	}
	if before, known := r.seen[digest][node]; known && before != properties {
		return fmt.Errorf("%s: digest %.8s shows %d properties and %d", node, digest, before, properties)
	}
	r.seen[digest][node] = properties
	return nil
}

// sawEverywhere returns an error until clients of each of so many nodes saw a digest.
func (r *swapReaders) sawEverywhere(digest string, nodes int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.seen[digest]); n != nodes {
		return fmt.Errorf("clients of %d of %d nodes saw digest %.8s", n, nodes, digest)
	}
	return nil
}

// read asks a node a few times a second.
func (r *swapReaders) read(ctx context.Context, t *testing.T, begin time.Duration, node *harness.Node) {
	for pause := time.NewTimer(begin); ; pause.Reset(readsEvery) {
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		answer, err := node.Get(context.WithoutCancel(ctx), "/ogc/collections/cities/items?bbox=-180,-90,180,90")
		var page struct {
			Features []struct{ Properties map[string]any }
		}
		if err == nil {
			err = answer.Decode(&page)
		}
		if err != nil || answer.Code != http.StatusOK || len(page.Features) != 2 {
			t.Errorf("%s: %v, status %d: %s", node.ID, err, answer.Code, answer.Body)
			return
		}
		for _, f := range page.Features {
			if err := r.saw(node.ID, answer.Digest(), len(f.Properties)); err != nil {
				t.Error(err)
			}
		}
		r.answers.Add(1)
	}
}

// check compares what was seen with what was deployed.
func (r *swapReaders) check(t *testing.T, properties map[string]int) {
	t.Helper()
	for digest, seen := range r.seen {
		for node, n := range seen {
			if want, deployed := properties[digest]; !deployed || n != want {
				t.Errorf("%s: digest %.8s shows %d properties; deployed %t, with %d", node, digest, n, deployed, want)
			}
		}
	}
}
