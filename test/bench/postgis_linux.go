package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	"github.com/honua-io/honua-gitops/test/postgres"
)

// pointCount is how many points the table has, strewn evenly over the world.
const pointCount = 200_000

const (
	readerName     = "honua"
	readerPassword = "not-a-secret"
)

// pointTable is what the layer of the example shows, with more in it.
const pointTable = `CREATE EXTENSION postgis;
CREATE TABLE public.cities (id serial PRIMARY KEY, geom geometry(Point, 4326) NOT NULL, name text, population integer, country text);
INSERT INTO public.cities (geom, name, population, country)
  SELECT ST_SetSRID(ST_Point(random() * 360 - 180, random() * 180 - 90), 4326), 'Settlement ' || i, (random() * 1e7)::integer, 'Country ' || i %% 200
  FROM generate_series(1, %d) i;
CREATE INDEX ON public.cities USING gist (geom);
CREATE ROLE %s LOGIN PASSWORD '%s'; GRANT SELECT ON public.cities TO %[2]s`

// postgis asks one node for what is in a database that shares the machine with it and with the client: over TCP, then
// over the database's socket.
func postgis(ctx context.Context, b *bench) (err error) {
	// A folder of its own: it is given to the user that runs the server, who has to get there.
	dir, err := os.MkdirTemp("", "honua-bench-postgres")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := postgres.New(ctx, dir, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	for _, statement := range []string{fmt.Sprintf(pointTable, pointCount, readerName, readerPassword), "VACUUM ANALYZE public.cities"} {
		if err := server.Run(ctx, "postgres", statement); err != nil {
			return err
		}
	}
	for _, way := range []struct{ name, connection string }{
		{"postgis", server.Net(readerName, readerPassword, "postgres")},
		{"postgis-socket", server.Socket(readerName, readerPassword, "postgres")},
	} {
		if err := askDatabase(ctx, b, way.name, way.connection, server.PID()); err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
	}
	return nil
}

// askDatabase starts a cluster that reads the table over a connection, and asks its first node.
func askDatabase(ctx context.Context, b *bench, name, connection string, serverPID int) error {
	if err := os.Setenv(scaffold.ConnectionVariable, connection); err != nil {
		return err
	}
	here := *b
	here.scratch = filepath.Join(b.scratch, name)
	cluster, end, err := here.smallOf(ctx, neverSeconds, scaffold.PostGISFiles)
	if err != nil {
		return err
	}
	defer end()
	node := cluster.nodes[0]
	return b.ask(ctx, map[string]int{"node": node.PID, "postgres": serverPID}, node.http, []asking{
		{name + "/collections", func() string { return collectionsPath }, atLeast(23_500)},
		// A box of three degrees holds 28 points on the average, one of thirty 2,800.
		{name + "/items-10", randomPage(itemsPath, area{3, 3, 10}, 10), atLeast(8_850)},
		{name + "/items-1000", randomPage(itemsPath, area{30, 30, 200}, 1000), atLeast(615)},
	})
}
