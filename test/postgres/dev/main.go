//go:build linux

// Command dev runs PostgreSQL with PostGIS and the sample cities in a folder, until it is interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	"github.com/honua-io/honua-gitops/test/postgres"
)

// port is where `honua dev --postgis` expects the server.
const port = 15432

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dev-postgis:", err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) != 1 {
		return errors.New("name the folder to keep the database in")
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	server, err := postgres.New(ctx, dir, port)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := fill(ctx, server); err != nil {
		return err
	}
	fmt.Printf("PostgreSQL is ready; its log is %s\nDB_CONNECTION_STRING=%q\n", filepath.Join(dir, "log"), server.Net("honua", "honua", "honua"))
	<-ctx.Done()
	return nil
}

// fill makes user, database and table, unless an earlier run did.
func fill(ctx context.Context, server *postgres.Server) error {
	if err := server.Run(ctx, "honua", "SELECT FROM public.cities"); err == nil {
		return nil
	}
	cities := strings.ReplaceAll(string(scaffold.Cities()), "'", "''")
	for _, step := range [][2]string{
		{"postgres", "DROP DATABASE IF EXISTS honua"},
		{"postgres", "DROP ROLE IF EXISTS honua"},
		{"postgres", "CREATE ROLE honua LOGIN PASSWORD 'honua'"},
		{"postgres", "CREATE DATABASE honua"},
		{"honua", "CREATE EXTENSION postgis"},
		{"honua", "CREATE TABLE public.cities (id integer PRIMARY KEY, geom geometry(Point, 4326), name text, population integer, country text)"},
		{"honua", `INSERT INTO public.cities SELECT (f->>'id')::integer, ST_SetSRID(ST_GeomFromGeoJSON(f->>'geometry'), 4326), f->'properties'->>'name',
			(f->'properties'->>'population')::integer, f->'properties'->>'country' FROM json_array_elements('` + cities + `'::json->'features') f`},
		{"honua", "CREATE INDEX ON public.cities USING gist (geom); GRANT SELECT ON public.cities TO honua; ANALYZE public.cities"},
	} {
		if err := server.Run(ctx, step[0], step[1]); err != nil {
			return fmt.Errorf("%.60s: %w", step[1], err)
		}
	}
	return nil
}
