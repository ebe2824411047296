package ogc

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"
)

const (
	epsg4326 = epsgPrefix + "4326"
	epsg3857 = epsgPrefix + "3857"
)

// crsURI: identifiers are http-URIs as OGC writes them (OGC 09-048).
func (s *suite) crsURI() {
	pattern := regexp.MustCompile(`^http://www\.opengis\.net/def/crs/[A-Za-z0-9]+/[0-9.]+/[A-Za-z0-9]+$`)
	for _, c := range s.collections() {
		self, _ := find(c.Links, "self")
		for _, document := range []collection{c, decode[collection](s.T, s.get(s.path(self)))} {
			for _, uri := range append(slices.Clone(document.CRS), document.StorageCRS) {
				if parsed, err := url.Parse(uri); err != nil || parsed.Host == "" || !pattern.MatchString(uri) {
					s.Errorf("%s: %q", c.ID, uri)
				}
			}
		}
	}
}

func (s *suite) defaultCRS() {
	for _, c := range s.collections() {
		if !slices.Contains(c.CRS, crs84) {
			s.Errorf("%s: %q", c.ID, c.CRS)
		}
	}
}

func (s *suite) storageCRS() {
	for _, c := range s.collections() {
		if !slices.Contains(c.CRS, c.StorageCRS) {
			s.Errorf("%s: storageCrs %q is not in %q", c.ID, c.StorageCRS, c.CRS)
		}
	}
}

// crsParameter: every listed system is answered in, and named in the header.
func (s *suite) crsParameter() {
	for _, c := range s.collections() {
		for _, uri := range c.CRS {
			got := s.get(s.items(c) + "?limit=20&crs=" + url.QueryEscape(uri))
			s.valid(got, "featureCollection")
			if got.StatusCode != http.StatusOK || got.Header.Get("Content-Crs") != "<"+uri+">" {
				s.Errorf("%s in %s: %s %v", c.ID, uri, got.Status, got.Header)
			}
		}
	}
	s.eachFeature(func(c collection, path string) {
		for _, uri := range c.CRS {
			got := s.get(path + "?crs=" + url.QueryEscape(uri))
			s.valid(got, "feature")
			if got.StatusCode != http.StatusOK || got.Header.Get("Content-Crs") != "<"+uri+">" {
				s.Errorf("%s in %s: %s %v", path, uri, got.Status, got.Header)
			}
		}
	})
}

// unlisted are values that no collection lists.
func unlisted() []string {
	return []string{
		"http://www.opengis.net/def/crs/0/unsupported", epsgPrefix + "25832", epsgPrefix + "04326", epsgPrefix + "4326 ", "EPSG:4326",
		"urn:ogc:def:crs:EPSG::4326", "", "4326", epsgPrefix + "4326;DROP TABLE towns", crs84 + "h",
	}
}

func (s *suite) crsParameterInvalid() {
	for _, uri := range unlisted() {
		s.refused("/ogc/collections/towns/items?crs=" + url.QueryEscape(uri))
		s.refused("/ogc/collections/towns/items/1?crs=" + url.QueryEscape(uri))
	}
}

// crsParameterDefault: without crs as with CRS84.
func (s *suite) crsParameterDefault() {
	for _, c := range s.collections() {
		without := s.get(s.items(c))
		with := s.get(s.items(c) + "?crs=" + url.QueryEscape(crs84))
		if without.Header.Get("Content-Crs") != with.Header.Get("Content-Crs") ||
			!sameJSON(decode[featurePage](s.T, without).Features, decode[featurePage](s.T, with).Features) {
			s.Errorf("%s differs", c.ID)
		}
	}
}

// toCRS84 turns a position of a known system into longitude and latitude, by the formulas of EPSG method 1024.
func toCRS84(uri string, p []float64) (lon, lat float64) {
	const radius = 6378137.0
	switch uri {
	case epsg4326:
		return p[1], p[0]
	case epsg3857:
		return p[0] / radius * 180 / math.Pi, (2*math.Atan(math.Exp(p[1]/radius)) - math.Pi/2) * 180 / math.Pi
	}
	return p[0], p[1]
}

// crsTransform: turned back, every position is where it is by default.
func (s *suite) crsTransform() {
	same := func(what, uri string, plain, turned json.RawMessage) {
		before, after := positions(s.T, plain), positions(s.T, turned)
		if len(before) != len(after) {
			s.Errorf("%s in %s: %d positions, not %d", what, uri, len(after), len(before))
			return
		}
		for i := range before {
			lon, lat := toCRS84(uri, after[i])
			if math.Abs(lon-before[i][0]) > 1e-7 || math.Abs(lat-before[i][1]) > 1e-7 {
				s.Errorf("%s in %s: %v is %v, %v; not %v", what, uri, after[i], lon, lat, before[i])
			}
		}
	}
	for _, c := range s.collections() {
		plain := decode[featurePage](s.T, s.get(s.items(c)+"?limit=100"))
		for _, uri := range c.CRS {
			turned := decode[featurePage](s.T, s.get(s.items(c)+"?limit=100&crs="+url.QueryEscape(uri)))
			for i, f := range plain.Features {
				same(c.ID+"/"+string(f.ID), uri, f.Geometry, turned.Features[i].Geometry)
			}
		}
	}
	s.eachFeature(func(c collection, path string) {
		type feature struct{ Geometry json.RawMessage }
		plain := decode[feature](s.T, s.get(path))
		for _, uri := range c.CRS {
			same(path, uri, plain.Geometry, decode[feature](s.T, s.get(path+"?crs="+url.QueryEscape(uri))).Geometry)
		}
	})
}

// inSystem writes a box of longitudes and latitudes in another system, in the order of its axes.
func inSystem(uri string, b [4]float64) string {
	const radius = 6378137.0
	x := func(lon float64) float64 { return radius * lon * math.Pi / 180 }
	y := func(lat float64) float64 { return radius * math.Log(math.Tan(math.Pi/4+lat*math.Pi/360)) }
	switch uri {
	case epsg4326:
		return fmt.Sprintf("%v,%v,%v,%v", b[1], b[0], b[3], b[2])
	case epsg3857:
		return fmt.Sprintf("%f,%f,%f,%f", x(b[0]), y(b[1]), x(b[2]), y(b[3]))
	}
	return fmt.Sprintf("%v,%v,%v,%v", b[0], b[1], b[2], b[3])
}

// bboxCRS: a box selects the same features in every system.
func (s *suite) bboxCRS() {
	for _, c := range s.collections() {
		for _, box := range [][4]float64{{-100.5, -1, -79.5, 1}, {0, -10, 20, 20}, {-170, -80, 170, 80}, {-20.5, -20.5, -15, -15}} {
			want := decode[featurePage](s.T, s.get(s.items(c)+"?limit=100&bbox="+inSystem(crs84, box))).ids()
			for _, uri := range c.CRS {
				got := decode[featurePage](s.T, s.get(s.items(c)+"?limit=100&bbox="+inSystem(uri, box)+"&bbox-crs="+url.QueryEscape(uri))).ids()
				if got != want {
					s.Errorf("%s, %v in %s: %s, not %s", c.ID, box, uri, got, want)
				}
			}
		}
	}
	// Latitude first, and across the antimeridian.
	page := decode[featurePage](s.T, s.get("/ogc/collections/places/items?bbox=-20,170,-10,-170&bbox-crs="+url.QueryEscape(epsg4326)))
	if page.ids() != "3 4" {
		s.Errorf("across the antimeridian in EPSG:4326: %s", page.ids())
	}
	s.refused("/ogc/collections/places/items?bbox=200,0,100,1&bbox-crs=" + url.QueryEscape(epsg3857))
}

func (s *suite) bboxCRSInvalid() {
	for _, uri := range unlisted() {
		s.refused("/ogc/collections/towns/items?bbox=0,0,1,1&bbox-crs=" + url.QueryEscape(uri))
		s.refused("/ogc/collections/towns/items?bbox-crs=" + url.QueryEscape(uri))
	}
}

// bboxCRSDefault: without bbox-crs as with CRS84.
func (s *suite) bboxCRSDefault() {
	for _, c := range s.collections() {
		const box = "?limit=100&bbox=-150,-30,15,30"
		without := decode[featurePage](s.T, s.get(s.items(c)+box))
		with := decode[featurePage](s.T, s.get(s.items(c)+box+"&bbox-crs="+url.QueryEscape(crs84)))
		if !sameJSON(without.Features, with.Features) || without.ids() == "" {
			s.Errorf("%s: %s and %s", c.ID, without.ids(), with.ids())
		}
	}
}

// Links of a page keep the systems that were asked for.
func TestLinksKeepTheSystems(t *testing.T) {
	b := townBench(t, nil)
	page := decode[featurePage](t, b.get("/ogc/collections/towns/items?crs="+url.QueryEscape(epsg3857)+"&limit=1"))
	next, _ := find(page.Links, "next")
	parsed, err := url.Parse(next.Href)
	if err != nil || parsed.Query().Get("crs") != epsg3857 {
		t.Errorf("next = %+v, %v", next, err)
	}
}

func TestAxes(t *testing.T) {
	for code, want := range map[int]bool{4326: true, 4258: true, 3857: false, 25832: false, 4647: false, 2180: true, 31467: true, 3035: true, 32633: false, 7844: true, 2056: false} {
		if northFirst(code) != want {
			t.Errorf("EPSG:%d: north first is %t", code, !want)
		}
	}
	for code, want := range map[int]bool{4326: true, 4258: true, 3857: false, 4087: false, 4491: false, 4978: false} {
		if isGeographic(code) != want {
			t.Errorf("EPSG:%d: geographic is %t", code, !want)
		}
	}
}
