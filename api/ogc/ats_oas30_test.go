package ogc

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// openAPI is the definition, loaded and validated by a library of its own.
func (s *suite) openAPI() *openapi3.T {
	s.Helper()
	document, err := openapi3.NewLoader().LoadFromData(s.get("/ogc/api").body)
	if err != nil {
		s.Fatal(err)
	}
	if err := document.Validate(s.Context(), openapi3.EnableExamplesValidation()); err != nil {
		s.Fatal(err)
	}
	return document
}

// concrete are the paths of the definition with what stands for their parameters.
func concrete() map[string]string {
	return map[string]string{
		"/": "", "/conformance": "/conformance", "/api": "/api", "/collections": "/collections",
		"/collections/{collectionId}":                   "/collections/towns",
		"/collections/{collectionId}/queryables":        "/collections/towns/queryables",
		"/collections/{collectionId}/items":             "/collections/towns/items",
		"/collections/{collectionId}/items/{featureId}": "/collections/towns/items/7",
		"/collections/towns/items":                      "/collections/towns/items",
		"/collections/places/items":                     "/collections/places/items",
		"/collections/odd%20id%2F%C3%A4/items":          "/collections/odd%20id%2F%C3%A4/items",
	}
}

// oasCompleteness: the definition names every path, and every answer is one that it describes.
func (s *suite) oasCompleteness() {
	document := s.openAPI()
	paths := concrete()
	if document.Paths.Len() != len(paths) {
		s.Errorf("%d paths, not %d", document.Paths.Len(), len(paths))
	}
	for template, path := range paths {
		item := document.Paths.Value(template)
		if item == nil || item.Get == nil {
			s.Errorf("%s is missing", template)
			continue
		}
		s.described(item.Get, "/ogc"+path)
		s.described(item.Get, "/ogc"+path+"?unknown=1")
		if strings.Contains(template, "{collectionId}") {
			s.described(item.Get, strings.Replace("/ogc"+path, "towns", "nothing", 1))
		}
	}
}

// described checks that an answer's status, media type and body are those of the definition.
func (s *suite) described(operation *openapi3.Operation, path string) {
	s.Helper()
	got := s.get(path)
	answer := operation.Responses.Status(got.StatusCode)
	if answer == nil {
		s.Errorf("%s: %s is not described", path, got.Status)
		return
	}
	content := answer.Value.Content[got.Header.Get("Content-Type")]
	if content == nil {
		s.Errorf("%s: %s is not described", path, got.Header.Get("Content-Type"))
		return
	}
	var body any
	if err := json.Unmarshal(got.body, &body); err != nil {
		s.Errorf("%s: %v", path, err)
	} else if err := content.Schema.Value.VisitJSON(body); err != nil {
		s.Errorf("%s: %v", path, err)
	}
}

// oasExceptionCodes: each kind of failure is described for every path.
func (s *suite) oasExceptionCodes() {
	for path, item := range s.openAPI().Paths.Map() {
		for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable,
			http.StatusInternalServerError, http.StatusServiceUnavailable} {
			answer := item.Get.Responses.Status(status)
			if answer == nil || answer.Value.Content["application/problem+json"] == nil {
				s.Errorf("%s does not describe %d", path, status)
			}
		}
	}
}

// oasDefinition1: the definition is offered as OpenAPI 3.0.
func (s *suite) oasDefinition1() {
	got := s.get("/ogc/api", "Accept", "application/vnd.oai.openapi+json;version=3.0")
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != typeOpenAPI {
		s.Errorf("%s %s", got.Status, got.Header.Get("Content-Type"))
	}
}

// oasDefinition2: it is valid.
func (s *suite) oasDefinition2() {
	if document := s.openAPI(); document.OpenAPI != "3.0.3" {
		s.Errorf("openapi %s", document.OpenAPI)
	}
	definition := s.definition()
	checkReferences(s.T, definition, definition)
}

// oasImplementation: the server does what it says: each described parameter is accepted, with its default and bounds.
func (s *suite) oasImplementation() {
	values := map[string]string{
		"f": "json", "limit": "5", "offset": "1", "bbox": "0,0,1,1", "datetime": "2020-01-01", "crs": crs84, "bbox-crs": crs84,
		"name": "x", "mark": "a", "size": "1", "share": "1.5", "port": "true", "founded": "2000-01-01",
		"uid": "00000000-0000-0000-0000-000000000001", "kind": "x", "seen": "2020-01-01T00:00:00Z",
	}
	for template, path := range concrete() {
		for _, parameter := range s.openAPI().Paths.Value(template).Get.Parameters {
			p := parameter.Value
			if p.In != "query" || p.Name == "properties" {
				continue
			}
			value, known := values[p.Name]
			if !known {
				s.Errorf("%s: no value for %s", template, p.Name)
			}
			if got := s.get("/ogc" + path + "?" + p.Name + "=" + value); got.StatusCode != http.StatusOK {
				s.Errorf("%s?%s=%s: %s", template, p.Name, value, got.Status)
			}
		}
	}
}

// oasSecurity: nothing is described as protected, and nothing is.
func (s *suite) oasSecurity() {
	document := s.openAPI()
	if len(document.Security) != 0 || len(document.Components.SecuritySchemes) != 0 {
		s.Error("the definition asks for credentials")
	}
	for _, path := range concrete() {
		if got := s.get("/ogc" + path); got.StatusCode != http.StatusOK {
			s.Errorf("%s: %s", path, got.Status)
		}
	}
}
