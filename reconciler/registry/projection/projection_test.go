package projection

import (
	"math"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/registry"
	"pgregory.net/rapid"
)

// The expected numbers are PostGIS's ST_Transform(…, 3857).
func TestBetweenKnownPoints(t *testing.T) {
	for _, test := range []struct{ lon, lat, x, y float64 }{
		{0, 0, 0, 0},
		{180, 0, 20037508.342789244, 0},
		{-180, 85.0511287798066, -20037508.342789244, 20037508.342789244},
		{2.35, 48.86, 261600.8033641929, 6251139.623506175},
	} {
		to, _ := Between(registry.WGS84, registry.WebMercator)
		x, y := to(test.lon, test.lat)
		if math.Abs(x-test.x) > 1e-6 || math.Abs(y-test.y) > 1e-6 {
			t.Errorf("(%v, %v): %v, %v; want %v, %v", test.lon, test.lat, x, y, test.x, test.y)
		}
	}
	if _, known := Between(registry.WGS84, 25832); known {
		t.Error("a transverse Mercator is known")
	}
}

func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lon := rapid.Float64Range(-180, 180).Draw(t, "lon")
		lat := rapid.Float64Range(-89, 89).Draw(t, "lat")
		there, _ := Between(registry.WGS84, registry.WebMercator)
		back, _ := Between(registry.WebMercator, registry.WGS84)
		gotLon, gotLat := back(there(lon, lat))
		if math.Abs(gotLon-lon) > 1e-9 || math.Abs(gotLat-lat) > 1e-9 {
			t.Fatalf("(%v, %v) came back as (%v, %v)", lon, lat, gotLon, gotLat)
		}
	})
}

func TestBoxes(t *testing.T) {
	parts, ok := Boxes(registry.BBox{MinX: 170, MinY: -90, MaxX: -170, MaxY: 90}, registry.WebMercator)
	if !ok || len(parts) != 2 {
		t.Fatalf("%v, %v", parts, ok)
	}
	for _, part := range parts {
		if part.SRID != registry.WebMercator || part.MinX >= part.MaxX || math.IsInf(part.MinY, 0) || math.IsInf(part.MaxY, 0) {
			t.Errorf("%+v", part)
		}
	}
	if _, ok := Boxes(registry.BBox{SRID: 25832}, registry.WGS84); ok {
		t.Error("a box in an unknown system was converted")
	}
}
