package ogc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// crs84 is WGS 84 longitude and latitude: the default of Core, and what GeoJSON is in.
const crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

// epsgPrefix begins the identifiers of the EPSG's systems.
const epsgPrefix = "http://www.opengis.net/def/crs/EPSG/0/"

// systems are the identifiers of the reference systems that a layer can be read in: the default, those that every
// source knows, and the layer's own. What its source cannot transform to is not among them.
func systems(layer *catalog.Layer) []string {
	codes := []int{registry.WGS84, registry.WebMercator}
	if layer.SRID > 0 && !slices.Contains(codes, layer.SRID) {
		codes = append(codes, layer.SRID)
	}
	list := []string{crs84}
	for _, code := range codes {
		list = append(list, epsgPrefix+strconv.Itoa(code))
	}
	return list
}

// storageSystem is the system in which a layer is read without a transformation. WGS 84 is stored with the longitude
// first, as CRS84 has it.
func storageSystem(layer *catalog.Layer) string {
	if layer.SRID <= 0 || layer.SRID == registry.WGS84 {
		return crs84
	}
	return epsgPrefix + strconv.Itoa(layer.SRID)
}

// system is a reference system that a request names.
type system struct {
	uri string
	crs registry.CRS
}

// systemParameter reads crs or bbox-crs: one of the layer's systems, CRS84 if it is not given
// (/req/crs/fc-crs-valid-value, /req/crs/fc-crs-default-value and the same of bbox-crs).
func systemParameter(p params, name string, layer *catalog.Layer) (system, error) {
	uri, given := p.lookup(name)
	if !given || uri == crs84 {
		return system{uri: crs84}, nil
	}
	if !slices.Contains(systems(layer), uri) {
		return system{}, badParameter(name, "one of the identifiers in the collection's list crs")
	}
	code, err := strconv.Atoi(strings.TrimPrefix(uri, epsgPrefix))
	if err != nil {
		return system{}, badParameter(name, "one of the identifiers in the collection's list crs")
	}
	return system{uri: uri, crs: registry.CRS{SRID: code, NorthFirst: northFirst(code)}}, nil
}

// contentCRS says which reference system the body is in (/req/crs/ogc-crs-header).
func (x *exchange) contentCRS(s system) { x.w.Header()["Content-Crs"] = []string{"<" + s.uri + ">"} }
