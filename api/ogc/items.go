package ogc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// items answers with a page of features.
func (x *exchange) items(ctx context.Context, layer *registry.Layer) {
	definition := layer.Definition()
	if len(x.params.values) > 0 && !x.onlyParams(itemParams(definition)...) {
		return
	}
	q, err := itemQuery(x.params, definition, x.edition.catalog.Model().Settings.Ogc)
	if err != nil {
		x.problem(http.StatusBadRequest, err.Error())
		return
	}
	answer, err := systemParameter(x.params, "crs", definition)
	if err != nil {
		x.problem(http.StatusBadRequest, err.Error())
		return
	}
	chosen, ok := x.chooseFormat(x.h.offers.features)
	if !ok || x.answeredByValidator(ctx, layer, chosen) {
		return
	}
	x.w.Header()["Content-Type"] = chosen.header
	x.contentCRS(answer)
	x.streamFeatures(ctx, layer, chosen, q)
}

// streamFeatures writes the collection member by member: what is known at the end only, stands at the end.
func (x *exchange) streamFeatures(ctx context.Context, layer *registry.Layer, chosen format, q registry.Query) {
	s := x.h.newStream(x)
	defer x.h.freeStream(s)
	err := s.write([]byte(`{"type":"FeatureCollection","features":[`))
	first := true
	page, queryErr := layer.Query(ctx, q, func(feature []byte) error {
		if !first {
			if err := s.write([]byte{','}); err != nil {
				return err
			}
		}
		first = false
		return s.write(feature)
	})
	if err = errors.Join(err, queryErr); err == nil {
		err = x.finishPage(s, layer.Definition(), chosen, q, page)
	}
	switch {
	case err == nil:
	case s.started:
		x.aborted = true
		x.logFailure(layer.Definition(), err)
	default:
		x.fail(layer.Definition(), err)
	}
}

func (x *exchange) finishPage(s *stream, layer *catalog.Layer, chosen format, q registry.Query, page registry.Page) error {
	tail := append(s.tail[:0], `],"links":`...)
	tail = x.appendPageLinks(tail, layer, chosen, q, page)
	if page.Matched >= 0 {
		tail = append(tail, `,"numberMatched":`...)
		tail = strconv.AppendInt(tail, int64(page.Matched), 10)
	}
	tail = append(tail, `,"numberReturned":`...)
	tail = strconv.AppendInt(tail, int64(page.Returned), 10)
	tail = append(tail, `,"timeStamp":"`...)
	tail = x.h.config.Now().UTC().AppendFormat(tail, time.RFC3339)
	tail = append(tail, `"}`...)
	s.tail = tail
	if err := s.write(tail); err != nil {
		return err
	}
	return s.finish()
}

// item answers with one feature.
func (x *exchange) item(ctx context.Context, layer *registry.Layer) {
	definition := layer.Definition()
	if !x.onlyParams("crs") {
		return
	}
	answer, err := systemParameter(x.params, "crs", definition)
	if err != nil {
		x.problem(http.StatusBadRequest, err.Error())
		return
	}
	chosen, ok := x.chooseFormat(x.h.offers.features)
	if !ok {
		return
	}
	feature, err := layer.Get(ctx, x.at.feature, answer.crs)
	if err != nil {
		x.fail(definition, err)
		return
	}
	if x.answeredByValidator(ctx, layer, chosen) {
		return
	}
	collection := collectionURL(x.base, definition.ID)
	at := collection + "/items/" + url.PathEscape(x.at.feature)
	l := x.beginLinks(append(bytes.TrimSuffix(feature, []byte("}")), `,"links":`...), at)
	l.representations(chosen)
	l.addURL(collection, "collection", typeJSON, titleOf(definition))
	x.w.Header()["Content-Type"] = chosen.header
	x.contentCRS(answer)
	s := x.h.newStream(x)
	defer x.h.freeStream(s)
	if err := errors.Join(s.write(append(l.end(), '}')), s.finish()); err != nil {
		x.aborted = true
	}
}

// answeredByValidator sets the ETag where the data have a version, and answers 304 where the client has it, or an
// error where the source cannot be asked. What can change unseen has no ETag.
func (x *exchange) answeredByValidator(ctx context.Context, layer *registry.Layer, chosen format) bool {
	version, err := layer.Version(ctx)
	if err != nil {
		x.fail(layer.Definition(), err)
		return true
	}
	x.setCacheControl()
	if version == "" {
		return false
	}
	hash := sha256.New()
	for _, part := range []string{x.edition.digest[0], version, chosen.name, x.base, x.r.URL.EscapedPath(), x.params.query()} {
		hash.Write([]byte(part))
		hash.Write([]byte{0})
	}
	etag := `W/"` + hex.EncodeToString(hash.Sum(nil)[:12]) + `"`
	x.w.Header()["Etag"] = []string{etag}
	return x.unmodified(etag)
}

// fail answers for a source that did not.
func (x *exchange) fail(layer *catalog.Layer, err error) {
	switch {
	case errors.Is(err, registry.ErrFeatureNotFound):
		x.problem(http.StatusNotFound, "The collection has no such feature.")
	case errors.Is(err, registry.ErrCRS):
		x.problem(http.StatusBadRequest, "The collection cannot be read in this reference system.")
	case errors.Is(err, context.Canceled) && x.r.Context().Err() != nil:
		x.aborted = true // nobody is left to answer
	default:
		x.logFailure(layer, err)
		x.unavailable("The collection cannot be read at the moment.")
	}
}

// logFailure says at most once a second what clients are not told: under load every request fails alike.
func (x *exchange) logFailure(layer *catalog.Layer, err error) {
	if x.r.Context().Err() != nil {
		return
	}
	now := time.Now().UnixNano()
	last := x.h.logged.Load()
	if now-last < int64(time.Second) || !x.h.logged.CompareAndSwap(last, now) {
		return
	}
	x.h.config.Logger.Warn("collection cannot be read",
		"environment", x.at.environment, "collection", layer.ID, "error", err.Error())
}

// internal answers for what should not happen.
func (x *exchange) internal(err error) {
	x.h.config.Logger.Error("OGC response failed", "path", x.r.URL.Path, "error", err.Error())
	x.problem(http.StatusInternalServerError, "The response could not be made.")
}
