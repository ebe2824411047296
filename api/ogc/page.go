package ogc

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// minGzipBytes is the size under which a response fits a network packet anyway.
const minGzipBytes = 1400

// page is a rendered document with its headers.
type page struct {
	body, zipped   []byte
	length, zipLen []string
	etag           []string
	zip            sync.Once
}

// newPage renders a document. Its validator is a hash of the text.
func newPage(document any) (*page, error) {
	body, err := encode(document)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return &page{
		body: body, length: []string{strconv.Itoa(len(body))}, etag: []string{`W/"` + hex.EncodeToString(sum[:12]) + `"`},
	}, nil
}

// size is about what the page costs: the text and its compressed form.
func (p *page) size() int { return len(p.body) + len(p.body)/4 }

// compressed returns the body as gzip, made when somebody first asks for it.
func (p *page) compressed() ([]byte, []string) {
	p.zip.Do(func() {
		var out bytes.Buffer
		zipper := gzip.NewWriter(&out)
		// Writing to memory does not fail.
		_, _ = zipper.Write(p.body)
		_ = zipper.Close()
		p.zipped = out.Bytes()
		p.zipLen = []string{strconv.Itoa(len(p.zipped))}
	})
	return p.zipped, p.zipLen
}

// encode is json.Marshal that leaves the & of links as it is.
func encode(document any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// sharedPage answers with a document that is kept for the next one who asks.
func (x *exchange) sharedPage() {
	offers := x.h.offers.document
	if x.at.route == routeAPI {
		offers = x.h.offers.api
	}
	x.send(offers, func() (*page, error) {
		return x.edition.page(pageKey{base: x.base, route: x.at.route}, func() (*page, error) { return newPage(x.document()) })
	})
}

// page answers with a document of one collection, kept as well.
func (x *exchange) page(offers []format, document func() any) {
	x.send(offers, func() (*page, error) {
		return x.edition.page(pageKey{x.base, x.at.route, x.collection}, func() (*page, error) { return newPage(document()) })
	})
}

// document is what the shared routes show.
func (x *exchange) document() any {
	switch x.at.route {
	case routeConformance:
		return conformanceDocument()
	case routeAPI:
		return apiDocument(x.base, x.edition.catalog)
	case routeCollections:
		return collectionsDocument(x.base, x.edition.catalog)
	}
	return landingDocument(x.base, x.edition.catalog)
}

func (x *exchange) send(offers []format, render func() (*page, error)) {
	if !x.onlyParams() {
		return
	}
	chosen, ok := x.chooseFormat(offers)
	if !ok {
		return
	}
	p, err := render()
	if err != nil {
		x.internal(err)
		return
	}
	x.writePage(p, chosen)
}

func (x *exchange) writePage(p *page, chosen format) {
	header := x.w.Header()
	header["Etag"] = p.etag
	x.setCacheControl()
	if x.unmodified(p.etag[0]) {
		return
	}
	header["Content-Type"] = chosen.header
	body, length := p.body, p.length
	if len(body) >= minGzipBytes && acceptsGzip(x.r) {
		body, length = p.compressed()
		header.Set("Content-Encoding", "gzip")
	}
	header["Content-Length"] = length
	x.status = http.StatusOK
	x.w.WriteHeader(x.status)
	if x.r.Method != http.MethodHead {
		// A client that has gone away is the only way for this to fail.
		_, _ = x.w.Write(body)
	}
}

func (x *exchange) setCacheControl() {
	if x.edition.control != nil {
		x.w.Header()["Cache-Control"] = x.edition.control
	}
}

// chooseFormat negotiates, and answers when there is nothing to choose.
func (x *exchange) chooseFormat(offers []format) (format, bool) {
	chosen, status := negotiate(offers, x.params, x.r)
	switch status {
	case http.StatusBadRequest:
		x.problem(status, "The parameter f names no format of this resource.")
	case http.StatusNotAcceptable:
		x.problem(status, "This resource is available as "+mediaTypes(offers)+" only.")
	}
	return chosen, status == 0
}

func mediaTypes(offers []format) string {
	var names []string
	for _, offer := range offers {
		names = append(names, offer.mediaType)
	}
	return strings.Join(names, " and ")
}

// unmodified answers 304 if the client has this state of the resource.
func (x *exchange) unmodified(etag string) bool {
	for _, header := range x.r.Header["If-None-Match"] {
		for known := range strings.SplitSeq(header, ",") {
			known = strings.TrimSpace(known)
			if known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(etag, "W/") {
				x.status = http.StatusNotModified
				x.w.WriteHeader(x.status)
				return true
			}
		}
	}
	return false
}
