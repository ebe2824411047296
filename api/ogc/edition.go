package ogc

import (
	"fmt"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// Documents of one catalog are kept up to these bounds. The base URL in them comes from the request, and whoever asks
// under ever new names must not fill the memory.
const (
	maxPages     = 1024
	maxPageBytes = 32 << 20
)

// edition is what is made once for a catalog: headers and rendered documents.
type edition struct {
	catalog *registry.Catalog
	digest  []string // header values, shared by all responses
	vary    []string
	control []string // Cache-Control of good answers; nil for none
	cors    cors

	mu    sync.RWMutex
	pages map[pageKey]*page
	bytes int
}

// pageKey names a document that depends on the catalog and the base URL alone; collection is empty for the shared ones.
type pageKey struct{ base, route, collection string }

// editionOf returns the edition of a catalog and keeps it as its environment's latest. Requests that began before a swap may
// put theirs back for a moment, which costs a rendering and nothing else.
func (h *Handler) editionOf(c *registry.Catalog) *edition {
	if kept, ok := h.editions.Load(c.Environment()); ok {
		if e, ok := kept.(*edition); ok && e.catalog == c {
			return e
		}
	}
	settings := c.Model().Settings
	e := &edition{
		catalog: c, digest: []string{c.Digest()}, vary: []string{"Accept, Accept-Encoding"},
		control: cacheControl(settings.ResponseCaching), cors: newCORS(settings.Cors), pages: make(map[pageKey]*page),
	}
	if e.cors.varies() {
		e.vary = []string{"Accept, Accept-Encoding, Origin"}
	}
	h.editions.Store(c.Environment(), e)
	return e
}

func cacheControl(s catalog.CacheSettings) []string {
	if !s.Enabled {
		return nil
	}
	scope := "private"
	if s.Public {
		scope = "public"
	}
	return []string{fmt.Sprintf("%s, max-age=%d", scope, int(s.MaxAge/time.Second))}
}

// page returns a kept document, or renders and keeps it.
func (e *edition) page(key pageKey, render func() (*page, error)) (*page, error) {
	e.mu.RLock()
	kept := e.pages[key]
	e.mu.RUnlock()
	if kept != nil {
		return kept, nil
	}
	// Several requests may render the same document at once; the last one is kept.
	rendered, err := render()
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pages) >= maxPages || e.bytes+rendered.size() > maxPageBytes {
		clear(e.pages)
		e.bytes = 0
	}
	if _, raced := e.pages[key]; !raced {
		e.bytes += rendered.size()
	}
	e.pages[key] = rendered
	return rendered, nil
}
