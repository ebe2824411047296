package ogc

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// abstractTests are all abstract tests of the conformance classes that the server names: annex A of OGC 17-069r4 (core,
// geojson, oas30) and of OGC 18-058r1 (crs), by their identifiers.
func abstractTests() map[string]func(*suite) {
	return map[string]func(*suite){
		"/conf/core/http":                   (*suite).http,
		"/conf/core/crs84":                  (*suite).crs84,
		"/conf/core/root-op":                (*suite).rootOp,
		"/conf/core/root-success":           (*suite).rootSuccess,
		"/conf/core/api-definition-op":      (*suite).apiDefinitionOp,
		"/conf/core/api-definition-success": (*suite).apiDefinitionSuccess,
		"/conf/core/conformance-op":         (*suite).conformanceOp,
		"/conf/core/conformance-success":    (*suite).conformanceSuccess,
		"/conf/core/fc-md-op":               (*suite).collectionsOp,
		"/conf/core/fc-md-success":          (*suite).collectionsSuccess,
		"/conf/core/sfc-md-op":              (*suite).collectionOp,
		"/conf/core/sfc-md-success":         (*suite).collectionSuccess,
		"/conf/core/fc-op":                  (*suite).itemsOp,
		"/conf/core/fc-bbox-definition":     func(s *suite) { s.parameter("bbox", "array") },
		"/conf/core/fc-bbox-response":       (*suite).bboxResponse,
		"/conf/core/fc-limit-definition":    func(s *suite) { s.parameter("limit", "integer") },
		"/conf/core/fc-limit-response":      (*suite).limitResponse,
		"/conf/core/fc-time-definition":     func(s *suite) { s.parameter("datetime", "string") },
		"/conf/core/fc-time-response":       (*suite).timeResponse,
		"/conf/core/query-param-unknown":    (*suite).unknownParameter,
		"/conf/core/query-param-invalid":    (*suite).invalidParameter,
		"/conf/core/fc-response":            (*suite).itemsResponse,
		"/conf/core/fc-links":               (*suite).itemsLinks,
		"/conf/core/fc-timeStamp":           (*suite).timeStamp,
		"/conf/core/fc-numberMatched":       (*suite).numberMatched,
		"/conf/core/fc-numberReturned":      (*suite).numberReturned,
		"/conf/core/f-op":                   (*suite).itemOp,
		"/conf/core/f-success":              (*suite).itemSuccess,
		"/conf/core/f-links":                (*suite).itemLinks,

		"/conf/geojson/definition": (*suite).geojsonDefinition,
		"/conf/geojson/content":    (*suite).geojsonContent,

		"/conf/oas30/completeness":     (*suite).oasCompleteness,
		"/conf/oas30/exception-codes":  (*suite).oasExceptionCodes,
		"/conf/oas30/oas-definition-1": (*suite).oasDefinition1,
		"/conf/oas30/oas-definition-2": (*suite).oasDefinition2,
		"/conf/oas30/oas-impl":         (*suite).oasImplementation,
		"/conf/oas30/security":         (*suite).oasSecurity,

		"/conf/crs/crs-uri":                    (*suite).crsURI,
		"/conf/crs/default-crs":                (*suite).defaultCRS,
		"/conf/crs/storageCrs":                 (*suite).storageCRS,
		"/conf/crs/crs-parameter":              (*suite).crsParameter,
		"/conf/crs/crs-parameter-invalid":      (*suite).crsParameterInvalid,
		"/conf/crs/crs-parameter-default":      (*suite).crsParameterDefault,
		"/conf/crs/crs-parameter-transform":    (*suite).crsTransform,
		"/conf/crs/bbox-crs-parameter":         (*suite).bboxCRS,
		"/conf/crs/bbox-crs-parameter-invalid": (*suite).bboxCRSInvalid,
		"/conf/crs/bbox-crs-parameter-default": (*suite).bboxCRSDefault,
	}
}

// The suite runs on each kind of data source; on PostGIS with the system tests.
func TestAbstractTestSuite(t *testing.T) {
	t.Run("GeoJSON", func(t *testing.T) { runAbstractTests(t, geoJSONWorld) })
	t.Run("GeoPackage", func(t *testing.T) { runAbstractTests(t, geoPackageWorld) })
}

func runAbstractTests(t *testing.T, w func(*bench) world) {
	tests := abstractTests()
	counts := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(tests)) {
		counts[strings.Split(id, "/")[2]]++
		t.Run(strings.TrimPrefix(id, "/"), func(t *testing.T) { tests[id](newSuite(t, w)) })
	}
	if want := map[string]int{"core": 29, "geojson": 2, "oas30": 6, "crs": 10}; !maps.Equal(counts, want) {
		t.Errorf("%v abstract tests by class, the standards have %v", counts, want)
	}
}

// world is where the suite's features are: two data sources, towns and places, each of one table of its own name.
type world struct {
	sources  [2]catalog.DataSource
	geometry string // column; empty where there are no columns
}

func geoJSONWorld(b *bench) world {
	b.write("towns.geojson", towns(100, "a"))
	b.write("places.geojson", places)
	return world{sources: [2]catalog.DataSource{
		{ID: "towns", Type: "GeoJSON", ConnectionString: "towns.geojson"}, {ID: "places", Type: "GeoJSON", ConnectionString: "places.geojson"},
	}}
}

// suite is the web API under test: three collections, of points with a date, of lines and areas some of which have no
// geometry or time, and one whose id has to be escaped.
type suite struct {
	*testing.T
	*bench
	began time.Time
}

const places = `{"type":"FeatureCollection","features":[
 {"type":"Feature","id":1,"geometry":{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]]]},"properties":{"kind":"area","seen":"2020-01-01T00:00:00Z"}},
 {"type":"Feature","id":2,"geometry":{"type":"LineString","coordinates":[[-20,-20],[-10,-10]]},"properties":{"kind":"line","seen":null}},
 {"type":"Feature","id":3,"geometry":null,"properties":{"kind":"nowhere","seen":"2022-06-01T12:00:00Z"}},
 {"type":"Feature","id":4,"geometry":{"type":"MultiPoint","coordinates":[[179.5,-17],[-179.5,-17]]},"properties":{"kind":"points","seen":"2024-01-01T00:00:00Z"}}]}`

func newSuite(t *testing.T, makeWorld func(*bench) world) *suite {
	t.Helper()
	s := &suite{T: t, began: time.Now().UTC().Truncate(time.Second)}
	s.bench = newBench(t, func(c *Config) { c.Now = time.Now })
	w := makeWorld(s.bench)
	model := townModel()
	model.DataSources = w.sources[:]
	layers := model.Services[0].Layers
	layers[2] = catalog.Layer{
		ID: "places", Title: "Places", DataSource: "places", Service: "gis-service", GeometryType: "Geometry", SRID: 4326,
		BBox:       []float64{-180, -90, 180, 90},
		Properties: []catalog.Property{{Name: "kind", Type: "string"}, {Name: "seen", Type: "datetime"}},
	}
	layers[1].GeometryType, layers[1].SRID = "Point", 4326
	for i := range layers {
		layers[i].Table, layers[i].GeometryColumn = layers[i].DataSource, w.geometry
	}
	s.activate("digest-1", model)
	return s
}

// collections are the collections that the API offers.
func (s *suite) collections() []collection {
	return decode[collections](s.T, s.get("/ogc/collections")).Collections
}

// path is where a link leads on this server.
func (s *suite) path(l link) string {
	s.Helper()
	path, ok := strings.CutPrefix(l.Href, s.server.URL)
	if !ok {
		s.Errorf("%+v leads elsewhere", l)
	}
	return path
}

// items is the path of a collection's items.
func (s *suite) items(c collection) string {
	s.Helper()
	l, ok := find(c.Links, "items")
	if !ok {
		s.Fatalf("collection %s has no link items", c.ID)
	}
	return s.path(l)
}

// valid checks a document against what the standards say of it.
func (s *suite) valid(got response, schema string) {
	s.Helper()
	validateJSON(s.T, got.body, "#/$defs/"+schema)
}

func validateJSON(t testing.TB, document []byte, schema string) {
	t.Helper()
	text, err := os.ReadFile("testdata/schemas.json")
	if err != nil {
		t.Fatal(err)
	}
	source, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const base = "https://honua.example/schemas.json"
	if err := compiler.AddResource(base, source); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(base + schema)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	if err := compiled.Validate(instance); err != nil {
		t.Errorf("%v\n%.2000s", err, document)
	}
}

// refused checks that a request is answered 400 with an exception.
func (s *suite) refused(path string) {
	s.Helper()
	got := s.get(path)
	if got.StatusCode != http.StatusBadRequest || got.Header.Get("Content-Type") != "application/problem+json" {
		s.Errorf("%s: %s %s", path, got.Status, got.Header.Get("Content-Type"))
		return
	}
	s.valid(got, "exception")
}

// definition is the API definition as a tree.
func (s *suite) definition() map[string]any { return decode[map[string]any](s.T, s.get("/ogc/api")) }

// dig follows keys into a tree.
func dig(tree any, keys ...string) any {
	for _, key := range keys {
		object, ok := tree.(map[string]any)
		if !ok {
			return nil
		}
		tree = object[key]
	}
	return tree
}

// sameJSON compares documents regardless of the order of keys.
func sameJSON(a, b any) bool {
	one, errOne := json.Marshal(a)
	other, errOther := json.Marshal(b)
	return errOne == nil && errOther == nil && bytes.Equal(one, other)
}
