package ogc

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types of responses.
const (
	typeJSON    = "application/json"
	typeGeoJSON = "application/geo+json"
	typeOpenAPI = "application/vnd.oai.openapi+json;version=3.0"
	typeSchema  = "application/schema+json"
)

// format is one representation of a resource.
type format struct {
	name      string // as in f=
	mediaType string
	header    []string // mediaType, ready for the header map
}

// offers are the formats of the resources.
type offers struct{ document, api, features, schema []format }

func newOffers() offers {
	return offers{
		document: []format{newFormat("json", typeJSON)},
		api:      []format{newFormat("json", typeOpenAPI), newFormat("", typeJSON)},
		features: []format{newFormat("geojson", typeGeoJSON), newFormat("json", typeJSON)},
		schema:   []format{newFormat("json", typeSchema), newFormat("", typeJSON)},
	}
}

func newFormat(name, mediaType string) format {
	return format{name: name, mediaType: mediaType, header: []string{mediaType}}
}

// negotiate picks the format that the parameter f names, else the one that the client accepts most. The status is 0
// for a choice that could be made.
func negotiate(offers []format, p params, r *http.Request) (format, int) {
	if f, given := p.lookup("f"); given {
		for _, offer := range offers {
			if offer.name == f && f != "" {
				return offer, 0
			}
		}
		return format{}, http.StatusBadRequest
	}
	accept := r.Header["Accept"]
	if len(accept) == 0 || len(accept) == 1 && (accept[0] == "*/*" || accept[0] == "") {
		return offers[0], 0
	}
	ranges := parseAccept(strings.Join(accept, ","))
	var best format
	weight := 0.0
	for _, offer := range offers {
		if q := ranges.weight(offer.mediaType); q > weight {
			best, weight = offer, q
		}
	}
	if weight == 0 {
		return format{}, http.StatusNotAcceptable
	}
	return best, 0
}

// ranges are the parts of an Accept or Accept-Encoding header with their weights.
type ranges map[string]float64

func parseAccept(header string) ranges {
	all := make(ranges)
	for part := range strings.SplitSeq(header, ",") {
		name, rest, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		q := 1.0
		for parameter := range strings.SplitSeq(rest, ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			if strings.EqualFold(key, "q") {
				parsed, err := strconv.ParseFloat(value, 64)
				if err != nil || parsed < 0 || parsed > 1 {
					parsed = 0
				}
				q = parsed
			}
		}
		if name != "" {
			all[name] = max(all[name], q)
		}
	}
	return all
}

// weight of a media type is that of the most specific range that covers it. Parameters other than q are passed over.
func (a ranges) weight(mediaType string) float64 {
	name, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		name = mediaType
	}
	major, _, _ := strings.Cut(name, "/")
	for _, pattern := range []string{name, major + "/*", "*/*"} {
		if q, ok := a[pattern]; ok {
			return q
		}
	}
	return 0
}

// acceptsGzip reports whether the response may be compressed.
func acceptsGzip(r *http.Request) bool {
	header := r.Header["Accept-Encoding"]
	if len(header) == 0 {
		return false
	}
	encodings := parseAccept(strings.Join(header, ","))
	if q, ok := encodings["gzip"]; ok {
		return q > 0
	}
	return encodings["*"] > 0
}
