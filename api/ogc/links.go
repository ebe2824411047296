package ogc

import (
	"net/url"
	"strconv"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// link is a link object of the standard.
type link struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type,omitempty"`
	Title string `json:"title,omitempty"`
}

func collectionURL(base, id string) string { return base + "/collections/" + url.PathEscape(id) }

// representations are the self link, in the format of the response, and an alternate for each other format. The
// format that a client gets without asking is linked without f, unless the request had one.
func (x *exchange) representations(at string, chosen format) []link {
	links := []link{{Href: at + x.params.query(), Rel: "self", Type: chosen.mediaType, Title: "This document"}}
	for _, offer := range x.h.offers.features {
		if offer.name != chosen.name {
			links = append(links, link{
				Href: at + x.params.with("f", offer.name), Rel: "alternate", Type: offer.mediaType,
				Title: "This document as " + offer.mediaType,
			})
		}
	}
	return links
}

// pageLinks are the links of a page of features: itself, its neighbours, its collection.
func (x *exchange) pageLinks(layer *catalog.Layer, chosen format, q registry.Query, page registry.Page) []link {
	collection := collectionURL(x.base, layer.ID)
	at := collection + "/items"
	links := x.representations(at, chosen)
	end := q.Offset + page.Returned
	more := end < page.Matched || page.Matched < 0 && page.Returned == q.Limit
	if more && page.Returned > 0 {
		links = append(links, link{
			Href: at + x.params.with("offset", strconv.Itoa(end)), Rel: "next", Type: chosen.mediaType, Title: "Next page",
		})
	}
	if q.Offset > 0 {
		before := ""
		if offset := q.Offset - q.Limit; offset > 0 {
			before = strconv.Itoa(offset)
		}
		links = append(links, link{
			Href: at + x.params.with("offset", before), Rel: "prev", Type: chosen.mediaType, Title: "Previous page",
		})
	}
	return append(links, link{Href: collection, Rel: "collection", Type: typeJSON, Title: titleOf(layer)})
}

func titleOf(layer *catalog.Layer) string {
	if layer.Title != "" {
		return layer.Title
	}
	return layer.ID
}
