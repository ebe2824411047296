//go:build system

package postgis

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
)

// BenchmarkItems asks over eight connections for random boxes at random offsets of 200,000 points; database, server and
// clients share the machine. req/s is what is compared with other servers:
//
//	go test -tags system -run '^$' -bench Items -cpuprofile cpu.out ./test/system/postgis
func BenchmarkItems(b *testing.B) {
	d := newDatabase(b, newServer(b), "items", `
		CREATE TABLE public.cities (id serial PRIMARY KEY, geom geometry(Point, 4326) NOT NULL, name text, population integer, country text);
		INSERT INTO public.cities (geom, name, population, country)
		  SELECT ST_SetSRID(ST_Point(random() * 360 - 180, random() * 180 - 90), 4326), 'Settlement ' || i, (random() * 1e7)::integer, 'Country ' || i % 200
		  FROM generate_series(1, 200000) i;
		CREATE INDEX ON public.cities USING gist (geom); ANALYZE public.cities`)
	s := serve(b, d.connection())
	s.deploy("bench", "Cities", "name", "country")
	for _, load := range []struct {
		name          string
		limit, offset int
		size          float64 // of the box, in degrees
	}{{"10", 10, 20, 3}, {"1000", 1000, 200, 30}} {
		b.Run(load.name, func(b *testing.B) {
			b.SetParallelism(4) // times two processors
			b.RunParallel(func(p *testing.PB) {
				client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
				defer client.CloseIdleConnections()
				for p.Next() {
					west, south := rand.Float64()*(360-load.size)-180, rand.Float64()*(180-load.size)-90
					s.fetch(client, fmt.Sprintf("limit=%d&offset=%d&bbox=%.4f,%.4f,%.4f,%.4f", load.limit,
						rand.IntN(load.offset), west, south, west+load.size, south+load.size))
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

func (s *serving) fetch(client *http.Client, query string) {
	response, err := client.Get(s.server.URL + "/ogc/collections/cities/items?" + query)
	if err != nil {
		s.t.Error(err)
		return
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Errorf("status %d, %v", response.StatusCode, err)
	}
}
