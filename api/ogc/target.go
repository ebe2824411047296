package ogc

import (
	"net/url"
	"strings"
)

// The routes, as observations name them.
const (
	routeUnknown     = "unknown"
	routeLanding     = "landing"
	routeConformance = "conformance"
	routeAPI         = "api"
	routeCollections = "collections"
	routeCollection  = "collection"
	routeQueryables  = "queryables"
	routeItems       = "items"
	routeItem        = "item"
)

// allowed are the methods of every resource.
const allowed = "GET, HEAD, OPTIONS"

// target is the resource that a path names.
type target struct {
	route       string
	environment string
	prefix      string // path of the landing page, as the client escaped it
	collection  string
	feature     string
}

// parseTarget reads an escaped path: identifiers may hold any character, a slash too.
func parseTarget(path, standard string) (target, bool) {
	at := target{environment: standard, prefix: "/ogc"}
	if rest, ok := strings.CutPrefix(path, "/environments/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		environment, err := url.PathUnescape(name)
		if err != nil {
			return at, false
		}
		at.environment, at.prefix = environment, "/environments/"+name+"/ogc"
	}
	rest, ok := strings.CutPrefix(path, at.prefix)
	if !ok {
		return at, false
	}
	switch rest {
	case "", "/":
		at.route = routeLanding
	case "/conformance":
		at.route = routeConformance
	case "/api":
		at.route = routeAPI
	case "/collections":
		at.route = routeCollections
	default:
		return at.within(rest)
	}
	return at, true
}

// within reads what stands below /collections/.
func (at target) within(rest string) (target, bool) {
	rest, ok := strings.CutPrefix(rest, "/collections/")
	if !ok {
		return at, false
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil || text == "" {
			return at, false
		}
		parts[i] = text
	}
	at.collection = parts[0]
	switch {
	case len(parts) == 1:
		at.route = routeCollection
	case len(parts) == 2 && parts[1] == "queryables":
		at.route = routeQueryables
	case len(parts) == 2 && parts[1] == "items":
		at.route = routeItems
	case len(parts) == 3 && parts[1] == "items":
		at.route, at.feature = routeItem, parts[2]
	default:
		return at, false
	}
	return at, true
}
