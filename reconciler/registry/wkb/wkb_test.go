package wkb

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// samples are what PostGIS 3.3 makes of WKT (ST_AsEWKB) and of it (ST_AsGeoJSON), and GeoPackage's ISO form.
func samples() map[string]string {
	return map[string]string{
		// POINT(1 2)
		"0101000000000000000000f03f0000000000000040": `{"type":"Point","coordinates":[1,2]}`,
		// SRID=4326;POINT(1 2)
		"0101000020e6100000000000000000f03f0000000000000040": `{"type":"Point","coordinates":[1,2]}`,
		// big endian
		"00000000013ff00000000000004000000000000000": `{"type":"Point","coordinates":[1,2]}`,
		// POINT Z(1 2 3), EWKB and ISO
		"0101000080000000000000f03f00000000000000400000000000000840": `{"type":"Point","coordinates":[1,2,3]}`,
		"01e9030000000000000000f03f00000000000000400000000000000840": `{"type":"Point","coordinates":[1,2,3]}`,
		// POINT M(1 2 3): the measure has no place
		"0101000040000000000000f03f00000000000000400000000000000840": `{"type":"Point","coordinates":[1,2]}`,
		"01d1070000000000000000f03f00000000000000400000000000000840": `{"type":"Point","coordinates":[1,2]}`,
		// POINT EMPTY
		"0101000000000000000000f87f000000000000f87f": `null`,
		// LINESTRING(1 2,3 4)
		"010200000002000000000000000000f03f000000000000004000000000000008400000000000001040": `{"type":"LineString","coordinates":[[1,2],[3,4]]}`,
		// LINESTRING EMPTY, POLYGON EMPTY, GEOMETRYCOLLECTION EMPTY
		"010200000000000000": `{"type":"LineString","coordinates":[]}`,
		"010300000000000000": `{"type":"Polygon","coordinates":[]}`,
		"010700000000000000": `{"type":"GeometryCollection","geometries":[]}`,
		// POLYGON((0 0,1 0,1 1,0 0))
		"0103000000010000000400000000000000000000000000000000000000000000000000f03f0000000000000000" +
			"000000000000f03f000000000000f03f00000000000000000000000000000000": `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`,
		// MULTIPOINT(1 2)
		"0104000000010000000101000000000000000000f03f0000000000000040": `{"type":"MultiPoint","coordinates":[[1,2]]}`,
		// MULTILINESTRING((1 2,3 4))
		"010500000001000000010200000002000000000000000000f03f000000000000004000000000000008400000000000001040": `{"type":"MultiLineString","coordinates":[[[1,2],[3,4]]]}`,
		// GEOMETRYCOLLECTION(POINT(1 2))
		"0107000000010000000101000000000000000000f03f0000000000000040": `{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}`,
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAppendGeoJSON(t *testing.T) {
	for in, want := range samples() {
		got, err := AppendGeoJSON([]byte("x"), unhex(t, in), Options{})
		if err != nil || string(got) != "x"+want {
			t.Errorf("%s:\n got %s, %v\nwant %s", in, got, err, want)
		}
		if _, err := Decode(unhex(t, in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
	swapped, err := AppendGeoJSON(nil, unhex(t, "0101000000000000000000f03f0000000000000040"), Options{
		NorthFirst: true, Transform: func(x, y float64) (float64, float64) { return x * 10, y * 10 },
	})
	if err != nil || string(swapped) != `{"type":"Point","coordinates":[20,10]}` {
		t.Errorf("%s, %v", swapped, err)
	}
}

func TestMalformed(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":             "",
		"byte order":          "0201000000000000000000f03f0000000000000040",
		"cut off":             "0101000000000000000000f03f",
		"more after the end":  "0101000000000000000000f03f000000000000004000",
		"count beyond bytes":  "0102000000ffffffff",
		"circular string":     "010800000000000000",
		"unknown thousand":    "01a10f0000000000000000f03f0000000000000040",
		"line in a multi":     "01040000000100000001070000000000000000",
		"infinite coordinate": "0101000000000000000000f07f0000000000000040",
		"NaN in a line":       "010200000001000000000000000000f87f000000000000f87f",
	} {
		if got, err := AppendGeoJSON(nil, unhex(t, in), Options{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	nested := ""
	for range maxDepth + 2 {
		nested += "010700000001000000"
	}
	nested += "010700000000000000"
	if _, err := AppendGeoJSON(nil, unhex(t, nested), Options{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("deep nesting: %v", err)
	}
	if _, err := Decode(unhex(t, nested)); !errors.Is(err, ErrMalformed) {
		t.Errorf("deep nesting: %v", err)
	}
}

func TestDecodeDropsHeights(t *testing.T) {
	got, err := Decode(unhex(t, "0101000080000000000000f03f00000000000000400000000000000840"))
	if err != nil || got != (orb.Point{1, 2}) {
		t.Errorf("%v, %v", got, err)
	}
	if SRID(unhex(t, "0101000020e6100000000000000000f03f0000000000000040")) != 4326 {
		t.Error("the SRID is lost")
	}
}

func TestAppendNumber(t *testing.T) {
	for _, test := range []struct {
		in   float64
		want string
	}{
		{0, "0"}, {-0.1, "-0.1"}, {1.5, "1.5"}, {-180, "-180"}, {0.000000001, "0.000000001"}, {1e-12, "0"},
		{48.8566969, "48.8566969"}, {20037508.342789244, "20037508.342789244"}, {1e21, "1000000000000000000000"},
	} {
		if got := string(AppendNumber(nil, test.in)); got != test.want {
			t.Errorf("%v: %s", test.in, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-1e7, 1e7).Draw(t, "v")
		got, err := strconv.ParseFloat(string(AppendNumber(nil, v)), 64)
		if err != nil || math.Abs(got-v) > 0.6e-9+math.Abs(v)*1e-15 {
			t.Fatalf("%v became %v (%v)", v, got, err)
		}
	})
}

// Whatever the bytes: valid JSON or an error, and both readers agree on what can be read.
func FuzzAppendGeoJSON(f *testing.F) {
	for in := range samples() {
		f.Add(unhex(f, in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := AppendGeoJSON(nil, in, Options{})
		if err != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("%x: %s", in, out)
		}
		if _, err := Decode(in); err != nil {
			t.Fatalf("%x: %v", in, err)
		}
	})
}
