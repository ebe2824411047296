//go:build system

package system

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/postgres"
)

const (
	readerPassword = "pw-77c2-never-shown"
	// The runbook's example.
	cityMetadata = `{"services": [{"id": "gis-service", "title": "GIS Service", "layers": [{
  "id": "cities", "title": "Cities", "datasource": "main-db", "table": "%s", "geometryColumn": "geom",
  "geometryType": "Point", "srid": 4326, "properties": [{"name": "name", "type": "string"}, {"name": "population", "type": "integer"}]}]}]}`
	citySources = `{"datasources": [{"id": "main-db", "type": "PostgreSQL", "connectionString": "${DB_CONNECTION_STRING}"}]}`
	citySchema  = `CREATE EXTENSION postgis;
CREATE TABLE public.cities (id serial PRIMARY KEY, geom geometry(Point, 4326), name text, population integer);
INSERT INTO public.cities (geom, name, population) VALUES ('SRID=4326;POINT(2.35 48.86)', 'Paris', 2100000), ('SRID=4326;POINT(13.4 52.52)', 'Berlin', 3700000);
CREATE ROLE honua LOGIN PASSWORD '` + readerPassword + `'; GRANT SELECT ON public.cities TO honua;`
)

// The runbook's cities in public.cities, deployed by a commit and served by three nodes; then the database stops while
// it is served and before something is staged.
func TestPostGISInACluster(t *testing.T) {
	server, err := postgres.New(t.Context(), postgres.TempDir(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Run(t.Context(), "postgres", citySchema); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DB_CONNECTION_STRING", server.Net("honua", readerPassword, "postgres"))
	c := harness.Start(t, harness.Options{Idle: true})
	commit := deployCities(c, "public.cities")
	for _, node := range c.Nodes {
		node.Start()
	}
	c.AwaitServed("development", commit)
	for _, node := range c.Nodes {
		ids, err := node.Collections(t.Context(), "development")
		if err != nil || len(ids) != 1 || ids[0] != "cities" {
			t.Errorf("%s serves %v, %v", node.ID, ids, err)
		}
		if err := answers(t, node, http.StatusOK); err != nil {
			t.Error(err)
		}
	}
	t.Run("wrong table", func(t *testing.T) { refused(t, c, "public.towns", `found no table or view "public.towns"`) })
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, node := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error { return answers(t, node, http.StatusServiceUnavailable) })
	}
	t.Run("stopped before staging", func(t *testing.T) { refused(t, c, "public.cities2", "Database connection failure") })
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, node := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error { return answers(t, node, http.StatusOK) })
		log := node.Log()
		if !strings.Contains(log, "Database connection failure") {
			t.Errorf("%s did not log the outage", node.ID)
		}
		if strings.Contains(log, readerPassword) {
			t.Errorf("%s logged the password", node.ID)
		}
	}
}

func deployCities(c *harness.Cluster, table string) string {
	c.Repo.Write("environments/development/metadata.json", fmt.Sprintf(cityMetadata, table))
	c.Repo.Write("environments/development/datasources.json", citySources)
	return c.Repo.Commit("cities in " + table)
}

// answers asks a node for its cities.
func answers(t *testing.T, node *harness.Node, status int) error {
	r, err := node.Get(t.Context(), "/ogc/collections/cities/items")
	if err != nil {
		return err
	}
	if r.Code != status {
		return fmt.Errorf("%s: status %d: %s", node.ID, r.Code, r.Body)
	}
	if status != http.StatusOK {
		if kind := r.Header.Get("Content-Type"); kind != "application/problem+json" {
			return fmt.Errorf("%s: an error as %s", node.ID, kind)
		}
		return nil
	}
	var page struct{ Features []json.RawMessage }
	if err := r.Decode(&page); err != nil || len(page.Features) != 2 {
		return fmt.Errorf("%s: %w: %s", node.ID, errors.Join(err, errors.New("not two features")), r.Body)
	}
	return nil
}

// refused deploys something that staging must turn away, and checks the reason; what was served stays.
func refused(t *testing.T, c *harness.Cluster, table, reason string) {
	commit := deployCities(c, table)
	harness.Eventually(t, harness.DeployWithin, func() error {
		e, err := c.Environment("development")
		if err != nil {
			return err
		}
		d := e.GetCurrentDeployment()
		if d.GetCommit() != commit || d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_FAILED {
			return fmt.Errorf("%s of %.8s is %v", d.GetId(), d.GetCommit(), d.GetState())
		}
		if text := d.GetErrorMessage(); !strings.Contains(text, reason) || strings.Contains(text, readerPassword) {
			t.Errorf("failed with %q; want %q", text, reason)
		}
		return nil
	})
}
