package ogc

import (
	"net/http"
	"slices"
	"strings"
)

// http: everything goes over HTTP/1.1, with the methods and codes that it defines.
func (s *suite) http() {
	for _, path := range []string{"/ogc", "/ogc/api", "/ogc/conformance", "/ogc/collections", "/ogc/collections/towns",
		"/ogc/collections/towns/items", "/ogc/collections/towns/items/1"} {
		got := s.get(path)
		head := s.do(http.MethodHead, path)
		if got.ProtoMajor != 1 || got.ProtoMinor != 1 || got.StatusCode != http.StatusOK {
			s.Errorf("%s: %s %s", path, got.Proto, got.Status)
		}
		if head.StatusCode != http.StatusOK || len(head.body) != 0 || head.Header.Get("Content-Type") != got.Header.Get("Content-Type") {
			s.Errorf("HEAD %s: %s %v", path, head.Status, head.Header)
		}
		if post := s.do(http.MethodPost, path); post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != allowed {
			s.Errorf("POST %s: %s", path, post.Status)
		}
		if odd := s.get(path, "Accept", "image/png"); odd.StatusCode != http.StatusNotAcceptable {
			s.Errorf("%s as image/png: %s", path, odd.Status)
		}
	}
}

// crs84: without crs all geometries are in longitude and latitude.
func (s *suite) crs84() {
	for _, c := range s.collections() {
		got := s.get(s.items(c) + "?limit=1000")
		if got.Header.Get("Content-Crs") != "<"+crs84+">" {
			s.Errorf("%s: Content-Crs %q", c.ID, got.Header.Get("Content-Crs"))
		}
		for _, f := range decode[featurePage](s.T, got).Features {
			for _, p := range positions(s.T, f.Geometry) {
				if p[0] < -180 || p[0] > 180 || p[1] < -90 || p[1] > 90 {
					s.Errorf("%s/%s: %v", c.ID, f.ID, p)
				}
			}
		}
	}
}

func (s *suite) rootOp() {
	if got := s.get("/ogc"); got.StatusCode != http.StatusOK {
		s.Error(got.Status)
	}
}

// rootSuccess: links to the definition, the conformance declaration and the collections, and schema-valid.
func (s *suite) rootSuccess() {
	got := s.get("/ogc")
	s.valid(got, "landingPage")
	document := decode[landing](s.T, got)
	for rel, mediaType := range map[string]string{
		"self": typeJSON, "service-desc": typeOpenAPI, "conformance": typeJSON, "data": typeJSON,
	} {
		l, ok := find(document.Links, rel)
		if !ok || l.Type != mediaType {
			s.Errorf("link %s: %+v", rel, l)
			continue
		}
		if answer := s.get(s.path(l)); answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != mediaType {
			s.Errorf("%s: %s %s", l.Href, answer.Status, answer.Header.Get("Content-Type"))
		}
	}
}

func (s *suite) apiDefinitionOp() {
	for _, l := range decode[landing](s.T, s.get("/ogc")).Links {
		if l.Rel != "service-desc" && l.Rel != "service-doc" {
			continue
		}
		if got := s.get(s.path(l)); got.StatusCode != http.StatusOK {
			s.Errorf("%s: %s", l.Href, got.Status)
		}
	}
}

// apiDefinitionSuccess: what is said to be OpenAPI 3.0 is.
func (s *suite) apiDefinitionSuccess() {
	if got := s.get("/ogc/api"); got.Header.Get("Content-Type") != typeOpenAPI {
		s.Error(got.Header.Get("Content-Type"))
	}
	s.openAPI()
}

func (s *suite) conformanceOp() {
	if got := s.get("/ogc/conformance"); got.StatusCode != http.StatusOK {
		s.Error(got.Status)
	}
}

// conformanceSuccess: exactly the classes that the suite covers, and the queryables of part 3.
func (s *suite) conformanceSuccess() {
	got := s.get("/ogc/conformance")
	s.valid(got, "confClasses")
	const part = "http://www.opengis.net/spec/ogcapi-features-"
	want := []string{
		part + "1/1.0/conf/core", part + "1/1.0/conf/oas30", part + "1/1.0/conf/geojson", part + "2/1.0/conf/crs",
		part + "3/1.0/conf/queryables", part + "3/1.0/conf/queryables-query-parameters",
	}
	if classes := decode[conformance](s.T, got).ConformsTo; !slices.Equal(classes, want) {
		s.Errorf("%q", classes)
	}
}

func (s *suite) collectionsOp() {
	if got := s.get("/ogc/collections"); got.StatusCode != http.StatusOK {
		s.Error(got.Status)
	}
}

// collectionsSuccess covers fc-md-links, fc-md-items, fc-md-items-links and fc-md-extent as well.
func (s *suite) collectionsSuccess() {
	got := s.get("/ogc/collections")
	s.valid(got, "collections")
	document := decode[collections](s.T, got)
	if self, ok := find(document.Links, "self"); !ok || self.Type != typeJSON {
		s.Errorf("self link %+v", self)
	}
	var ids []string
	for _, c := range document.Collections {
		ids = append(ids, c.ID)
		for _, l := range c.Links {
			if l.Rel != "items" {
				continue
			}
			if answer := s.get(s.path(l)); answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != l.Type {
				s.Errorf("%+v: %s %s", l, answer.Status, answer.Header.Get("Content-Type"))
			}
		}
		if c.Extent != nil && (c.Extent.Spatial.CRS != crs84 || len(c.Extent.Spatial.BBox[0]) != 4) {
			s.Errorf("%s: extent %+v", c.ID, c.Extent)
		}
	}
	if !slices.Equal(ids, []string{"towns", "odd id/ä", "places"}) {
		s.Errorf("collections %q", ids)
	}
}

func (s *suite) collectionOp() {
	for _, c := range s.collections() {
		if self, ok := find(c.Links, "self"); !ok || s.get(s.path(self)).StatusCode != http.StatusOK {
			s.Errorf("%s: self link %+v", c.ID, self)
		}
	}
	if got := s.get("/ogc/collections/nothing"); got.StatusCode != http.StatusNotFound {
		s.Errorf("a collection that is not there: %s", got.Status)
	}
}

// collectionSuccess: a collection says the same of itself as the list does.
func (s *suite) collectionSuccess() {
	for _, c := range s.collections() {
		self, _ := find(c.Links, "self")
		got := s.get(s.path(self))
		s.valid(got, "collection")
		if single := decode[collection](s.T, got); !sameJSON(single, c) {
			s.Errorf("%+v\n%+v", single, c)
		}
	}
}

// unknownParameter: every resource refuses what its definition does not name.
func (s *suite) unknownParameter() {
	for _, path := range []string{"", "/api", "/conformance", "/collections", "/collections/towns", "/collections/towns/queryables",
		"/collections/towns/items", "/collections/places/items/1"} {
		for _, query := range []string{"unknownQueryParameter=x", "LIMIT=1", "Name=x"} {
			s.refused("/ogc" + path + "?" + query)
		}
	}
}

// invalidParameter: values that do not fit their parameter's definition.
func (s *suite) invalidParameter() {
	for _, query := range []string{
		"limit=0", "limit=x", "limit=1.5", "offset=-1", "bbox=1,2,3", "bbox=a,b,c,d", "bbox=1,2,3,4,5", "bbox=1,5,2,4",
		"datetime=x", "datetime=2020-01-02/2020-01-01", "datetime=../..", "size=x", "port=1", "founded=x", "crs=x", "bbox-crs=x", "f=html",
	} {
		s.refused("/ogc/collections/towns/items?" + query)
	}
	s.refused("/ogc/collections/towns/items/1?crs=x")
	s.refused("/ogc?f=" + strings.Repeat("x", 100))
}
