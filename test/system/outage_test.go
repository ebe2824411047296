//go:build system

package system

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/postgres"
)

// gateSchema is a view that can be read while nobody holds the advisory lock 42: who reads it stands in line for a share
// of that lock. Looking it up in the database's catalog does not.
const gateSchema = citySchema + `
CREATE FUNCTION public.gate() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN true; END $$;
CREATE VIEW public.gated AS SELECT * FROM public.cities WHERE public.gate(); GRANT SELECT ON public.gated TO honua;`

// The view is one more layer beside the harness's cities: nothing that would need approval.
const (
	gatedMetadata = `{"services": [{"id": "gis-service", "title": "GIS Service", "layers": [
 {"id": "cities", "title": "World Cities", "datasource": "files", "table": "cities", "geometryColumn": "geometry", "geometryType": "Point",
  "srid": 4326, "properties": [{"name": "name", "type": "string"}, {"name": "population", "type": "integer"}]},
 {"id": "gated", "title": "Cities", "datasource": "main-db", "table": "public.gated", "geometryColumn": "geom", "idColumn": "id",
  "geometryType": "Point", "srid": 4326, "properties": [{"name": "name", "type": "string"}]}]}]}`
	gatedSources = `{"datasources": [{"id": "files", "type": "GeoJSON", "connectionString": "cities.geojson"},
 {"id": "main-db", "type": "PostgreSQL", "connectionString": "${DB_CONNECTION_STRING}"}]}`
)

// gate is a database in which readers of the view can be made to wait.
type gate struct {
	t      *testing.T
	server *postgres.Server
}

func newGate(t *testing.T) *gate {
	t.Helper()
	server, err := postgres.New(t.Context(), postgres.TempDir(t), 0)
	must(t, err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	must(t, server.Run(t.Context(), "postgres", gateSchema))
	t.Setenv("DB_CONNECTION_STRING", server.Net("honua", readerPassword, "postgres"))
	return &gate{t, server}
}

func (g *gate) connect() *pgx.Conn {
	g.t.Helper()
	conn, err := pgx.Connect(g.t.Context(), g.server.URL(postgres.Admin, postgres.AdminPassword, "postgres"))
	must(g.t, err)
	g.t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(g.t.Context())) })
	return conn
}

// close makes whoever reads the view from now on wait.
func (g *gate) close() *pgx.Conn {
	g.t.Helper()
	conn := g.connect()
	_, err := conn.Exec(g.t.Context(), "SELECT pg_advisory_lock(42)")
	must(g.t, err)
	return conn
}

// closeBehind stands in line behind those who wait already: once they have read, the gate is closed again.
func (g *gate) closeBehind() {
	g.t.Helper()
	conn, ended := g.connect(), make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = conn.Exec(g.t.Context(), "SELECT pg_advisory_lock(42)") // fails when the test ends
	}()
	g.t.Cleanup(func() { <-ended }) // the server's end, if nothing else, ends it
}

// awaitWaiting waits until so many stand in line.
func (g *gate) awaitWaiting(n int) {
	g.t.Helper()
	watch := g.connect()
	harness.Eventually(g.t, harness.DeployWithin, func() error {
		var waiting int
		err := watch.QueryRow(g.t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").Scan(&waiting)
		if err == nil && waiting != n {
			err = fmt.Errorf("%d wait, not %d", waiting, n)
		}
		return err
	})
}

// awaitPhase waits until a commit's deployment is in a phase.
func awaitPhase(t *testing.T, c *harness.Cluster, commit string, phase pb.DeploymentPhase) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		e, err := c.Environment(development)
		if d := e.GetCurrentDeployment(); err == nil && (d.GetCommit() != commit || d.GetPhase() != phase) {
			err = fmt.Errorf("%.8s is %v, %v", d.GetCommit(), d.GetState(), d.GetPhase())
		}
		return err
	})
}

// awaitEnd waits until a commit's deployment has come to its end and returns it.
func awaitEnd(t *testing.T, c *harness.Cluster, commit string) *pb.Deployment {
	t.Helper()
	var found *pb.Deployment
	harness.Eventually(t, harness.DeployWithin, func() error {
		answer, err := c.Client().Deployments().ListDeployments(t.Context(), &pb.ListDeploymentsRequest{Environment: development})
		if err != nil {
			return err
		}
		for _, d := range answer.GetDeployments() {
			if d.GetCommit() == commit && d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_APPLYING && d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_PENDING {
				found = d
				return nil
			}
		}
		return errors.New("it is under way")
	})
	return found
}

func deployGated(c *harness.Cluster) string {
	c.Repo.Write("environments/development/metadata.json", gatedMetadata)
	c.Repo.Write("environments/development/datasources.json", gatedSources)
	return c.Repo.Commit("cities behind a gate")
}

// A database that stops while a deployment is being staged fails it, in the runbook's words: nothing was activated, and
// what was served is served on.
func TestDatabaseStopsDuringStaging(t *testing.T) {
	g := newGate(t)
	c := harness.Start(t, harness.Options{})
	before, err := c.Environment(development)
	must(t, err)
	g.close()
	commit := deployGated(c)
	awaitPhase(t, c, commit, pb.DeploymentPhase_DEPLOYMENT_PHASE_STAGING)
	g.awaitWaiting(len(c.Nodes))
	must(t, g.server.Kill())
	d := awaitEnd(t, c, commit)
	if text := d.GetErrorMessage(); d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_FAILED ||
		!strings.Contains(text, "Database connection failure") || strings.Contains(text, readerPassword) {
		t.Errorf("%v: %s", d.GetState(), text)
	}
	after, err := c.Environment(development)
	if err != nil || after.GetActiveDigest() != before.GetActiveDigest() || after.GetActivationIndex() != before.GetActivationIndex() {
		t.Errorf("%v: %v is active, before %v", err, after, before)
	}
	for _, node := range c.Nodes {
		if err := node.Serves(development, before.GetActiveDigest()); err != nil {
			t.Error(err)
		}
	}
}

// A database that stops while a deployment is being verified is a failure of what had passed at staging: it is rolled
// back where the policy says so, and stays active, failed, where it does not.
func TestDatabaseStopsDuringVerification(t *testing.T) {
	for name, test := range map[string]struct {
		rollback bool
		state    pb.DeploymentState
	}{
		"rolled back": {true, pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK},
		"kept":        {false, pb.DeploymentState_DEPLOYMENT_STATE_FAILED},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t)
			c := harness.Start(t, harness.Options{Policies: map[string]harness.Section{development: {"AutoRollback": test.rollback}}})
			before, err := c.Environment(development)
			must(t, err)
			holder := g.close()
			commit := deployGated(c)
			g.awaitWaiting(len(c.Nodes))
			g.closeBehind()
			g.awaitWaiting(len(c.Nodes) + 1)
			must(t, holder.Close(t.Context()))
			awaitPhase(t, c, commit, pb.DeploymentPhase_DEPLOYMENT_PHASE_VERIFYING)
			g.awaitWaiting(len(c.Nodes))
			must(t, g.server.Kill())
			d := awaitEnd(t, c, commit)
			if text := d.GetErrorMessage(); d.GetState() != test.state || !strings.Contains(text, "Database connection failure") {
				t.Errorf("%v: %s", d.GetState(), text)
			}
			after := c.AwaitSettled(development)
			if same := after.GetActiveDigest() == before.GetActiveDigest(); same != test.rollback {
				t.Errorf("active is %.8s, before it was %.8s", after.GetActiveDigest(), before.GetActiveDigest())
			}
			for _, node := range c.Nodes {
				harness.Eventually(t, harness.DeployWithin, func() error { return node.Serves(development, after.GetActiveDigest()) })
			}
			c.CheckJournals(development)
		})
	}
}
