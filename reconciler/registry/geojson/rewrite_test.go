package geojson

import (
	"errors"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

func TestRewrite(t *testing.T) {
	for _, test := range []struct {
		crs      registry.CRS
		in, want string
	}{
		{registry.CRS{SRID: 4326, NorthFirst: true}, `{"type":"Point","coordinates":[2.350,48.86,35]}`, `{"type":"Point","coordinates":[48.86,2.350,35]}`},
		{registry.CRS{SRID: 4326, NorthFirst: true}, `{"coordinates":[[[1,2],[3,4]],[]],"bbox":[1,2,3,4],"type":"MultiLineString"}`,
			`{"coordinates":[[[2,1],[4,3]],[]],"type":"MultiLineString"}`},
		{registry.CRS{SRID: 4326, NorthFirst: true}, `{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"MultiPoint","coordinates":[]}]}`,
			`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[2,1]},{"type":"MultiPoint","coordinates":[]}]}`},
		{registry.CRS{SRID: 3857}, `{"type":"Point","coordinates":[180,0]}`, `{"type":"Point","coordinates":[20037508.342789244,0]}`},
	} {
		rewrite, err := rewriteTo(test.crs)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(rewrite.geometry(nil, []byte(test.in))); got != test.want {
			t.Errorf("%+v:\n got %s\nwant %s", test.crs, got, test.want)
		}
	}
	for _, crs := range []registry.CRS{{}, {SRID: 4326}} {
		if rewrite, err := rewriteTo(crs); rewrite != nil || err != nil {
			t.Errorf("%+v is rewritten (%v)", crs, err)
		}
	}
}

func TestReferenceSystems(t *testing.T) {
	d, _ := testDriver(t, map[string]string{"cities.geojson": cities})
	s := open(t, d, "cities.geojson")
	layer := &catalog.Layer{Properties: []catalog.Property{{Name: "name"}}}
	paris := &registry.BBox{MinX: 261_000, MinY: 6_251_000, MaxX: 262_000, MaxY: 6_252_000, SRID: 3857}
	got := collect(t, s, layer, registry.Query{Limit: 9, BBox: paris, CRS: registry.CRS{SRID: 4326, NorthFirst: true}})
	// The second one has no place.
	if len(got) != 2 || !strings.Contains(got[0], `"coordinates":[48.86,2.35]`) {
		t.Errorf("%v", got)
	}
	emit := func([]byte) error { return nil }
	for _, q := range []registry.Query{
		{Limit: 1, CRS: registry.CRS{SRID: 25832}}, {Limit: 1, BBox: &registry.BBox{SRID: 25832}},
	} {
		if _, err := s.Query(t.Context(), layer, q, emit); !errors.Is(err, registry.ErrCRS) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := s.Get(t.Context(), layer, "1", registry.CRS{SRID: 25832}); !errors.Is(err, registry.ErrCRS) {
		t.Error(err)
	}
}
