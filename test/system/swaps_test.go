//go:build system

package system

import (
	"context"
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

// 100 clients read items from three nodes while commits are deployed, one after the other: no response fails, and each
// is of one configuration, the one that its header names (I6).
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
	properties := map[string]int{c.AwaitServed(development, first).GetActiveDigest(): 1}
	ctx, stop := context.WithCancel(t.Context())
	readers := newSwapReaders(clients)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() { readers.read(ctx, t, i, c.Nodes[i%len(c.Nodes)]) })
	}
	for n := 1; n <= *deployments && !t.Failed(); n++ {
		made := commit(n)
		_, err := c.Client().Environments().SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: development})
		must(t, err)
		properties[c.AwaitServed(development, made).GetActiveDigest()] = 1 + n%2
	}
	stop()
	group.Wait()
	readers.check(t, properties)
}

// swapReaders are what clients saw: how many properties features had, by digest.
type swapReaders struct {
	seen    []map[string]int
	answers atomic.Int64
}

func newSwapReaders(n int) *swapReaders {
	r := &swapReaders{seen: make([]map[string]int, n)}
	for i := range r.seen {
		r.seen[i] = map[string]int{}
	}
	return r
}

// read asks a node a few times a second, as clients do that draw what they get.
func (r *swapReaders) read(ctx context.Context, t *testing.T, client int, node *harness.Node) {
	for pause := time.NewTicker(200 * time.Millisecond); ; {
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
			if before, known := r.seen[client][answer.Digest()]; known && before != len(f.Properties) {
				t.Errorf("%s: digest %.8s shows %d properties and %d", node.ID, answer.Digest(), before, len(f.Properties))
			}
			r.seen[client][answer.Digest()] = len(f.Properties)
		}
		r.answers.Add(1)
	}
}

// check compares what was seen with what was deployed.
func (r *swapReaders) check(t *testing.T, properties map[string]int) {
	t.Helper()
	all := map[string]bool{}
	for _, seen := range r.seen {
		for digest, n := range seen {
			all[digest] = true
			if want, deployed := properties[digest]; !deployed || n != want {
				t.Errorf("digest %.8s shows %d properties; deployed %t, with %d", digest, n, deployed, want)
			}
		}
	}
	if len(all) < len(properties)/2 || r.answers.Load() < int64(len(r.seen)) {
		t.Errorf("%d answers of %d of %d configurations", r.answers.Load(), len(all), len(properties))
	}
}
