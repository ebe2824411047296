package ogc

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// Handler answers /ogc/… for the first configured environment and /environments/{environment}/ogc/… for each
// that is served.
type Handler struct {
	config   Config
	retry    string // seconds, for Retry-After
	offers   offers
	editions sync.Map  // environment to the latest *edition
	buffers  sync.Pool // of *stream
	zippers  sync.Pool // of *gzip.Writer
	logged   atomic.Int64
}

// New returns a handler, or an error that wraps ErrConfig. Mount it at /ogc, /ogc/ and /environments/.
func New(config Config) (*Handler, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	h := &Handler{config: config.withDefaults(), offers: newOffers()}
	h.retry = seconds(h.config.RetryAfter)
	return h, nil
}

// exchange is one request and what is known of its answer.
type exchange struct {
	h          *Handler
	w          http.ResponseWriter
	r          *http.Request
	at         target
	base       string // URL of the landing page, without a slash at its end
	params     params
	edition    *edition
	collection string
	status     int
	aborted    bool
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	x := &exchange{h: h, w: w, r: r}
	x.answer(r.Context())
	h.config.Observe(Observation{
		Route: x.at.route, Environment: x.at.environment, Collection: x.collection,
		Method: methodName(r.Method), Status: x.status, Aborted: x.aborted, Duration: time.Since(begun),
	})
	if x.aborted {
		// The status has gone out: only a broken connection tells the client that the body is not whole.
		panic(http.ErrAbortHandler)
	}
}

// answer finds the resource, then the catalog, and answers from that one alone.
func (x *exchange) answer(ctx context.Context) {
	at, found := parseTarget(x.r.URL.EscapedPath(), x.h.config.Environments[0])
	if !found {
		x.notFound()
		return
	}
	catalog, release, active := x.h.config.Registry.Current(at.environment)
	if active {
		defer release()
	} else if !slices.Contains(x.h.config.Environments, at.environment) {
		x.notFound()
		return
	}
	x.at = at
	if !isKnownMethod(x.r.Method) {
		x.w.Header().Set("Allow", allowed)
		x.problem(http.StatusMethodNotAllowed, "This resource can be read only.")
		return
	}
	if why := x.h.config.Stale(at.environment); why != "" {
		x.w.Header().Set("Honua-Stale", headerText(why))
	}
	if !active {
		x.unavailable("No configuration is active yet.")
		return
	}
	x.answerFrom(ctx, catalog)
}

func (x *exchange) notFound() {
	x.at = target{route: routeUnknown}
	x.problem(http.StatusNotFound, "There is no such resource.")
}

func (x *exchange) answerFrom(ctx context.Context, catalog *registry.Catalog) {
	x.edition = x.h.editionOf(catalog)
	header := x.w.Header()
	header["Honua-Digest"] = x.edition.digest
	x.edition.cors.apply(header, x.r)
	if x.r.Method == http.MethodOptions {
		header.Set("Allow", allowed)
		x.status = http.StatusNoContent
		x.w.WriteHeader(x.status)
		return
	}
	header["Vary"] = x.edition.vary
	x.base = x.h.baseURL(x.r) + x.at.prefix
	params, err := parseParams(x.r.URL.RawQuery)
	if err != nil {
		x.problem(http.StatusBadRequest, err.Error())
		return
	}
	x.params = params
	x.dispatch(ctx)
}

func (x *exchange) dispatch(ctx context.Context) {
	switch x.at.route {
	case routeCollection, routeQueryables, routeItems, routeItem:
		layer, ok := x.edition.catalog.Layer(x.at.collection)
		if !ok {
			x.problem(http.StatusNotFound, "There is no such collection.")
			return
		}
		x.collection = layer.Definition().ID
		switch x.at.route {
		case routeCollection:
			x.page(x.h.offers.document, func() any { return collectionDocument(x.base, layer.Definition()) })
		case routeQueryables:
			x.page(x.h.offers.schema, func() any { return queryablesDocument(x.base, layer.Definition()) })
		case routeItems:
			x.items(ctx, layer)
		case routeItem:
			x.item(ctx, layer)
		}
	default:
		x.sharedPage()
	}
}

// methodName keeps what clients make up out of metrics.
func methodName(method string) string {
	if isKnownMethod(method) {
		return method
	}
	return "other"
}

func isKnownMethod(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
