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

// linkList writes an array of links member by member: every page of features has one.
type linkList struct {
	out []byte
	at  string // URL that the links of representations begin with
	x   *exchange
}

// begin starts an array.
func (x *exchange) beginLinks(out []byte, at string) linkList {
	return linkList{out: append(out, '['), at: at, x: x}
}

// end finishes the array and returns the text that it was added to.
func (l *linkList) end() []byte { return append(l.out, ']') }

// add writes a link whose URL is at with the parameters of the request, one of them replaced.
func (l *linkList) add(parameter, value, rel, mediaType, title string) {
	l.open()
	// URLs are escaped already: nothing in them has a meaning in JSON.
	l.out = l.x.params.appendWith(append(l.out, l.at...), parameter, value)
	l.close(rel, mediaType, title)
}

// addURL writes a link to somewhere else.
func (l *linkList) addURL(href, rel, mediaType, title string) {
	l.open()
	l.out = append(l.out, href...)
	l.close(rel, mediaType, title)
}

func (l *linkList) open() {
	if l.out[len(l.out)-1] != '[' {
		l.out = append(l.out, ',')
	}
	l.out = append(l.out, `{"href":"`...)
}

func (l *linkList) close(rel, mediaType, title string) {
	l.out = append(append(l.out, `","rel":"`...), rel...)
	l.out = append(append(l.out, `","type":"`...), mediaType...)
	l.out = appendText(append(l.out, `","title":`...), title)
	l.out = append(l.out, '}')
}

// appendText adds a text as JSON.
func appendText(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			encoded, err := encode(text)
			if err != nil { // not reached: a text has an encoding
				return append(out, `""`...)
			}
			return append(out, encoded...)
		}
	}
	return append(append(append(out, '"'), text...), '"')
}

// representations adds the self link, in the format of the response, and an alternate for each other format. The
// format that a client gets without asking is linked without f, unless the request had one.
func (l *linkList) representations(chosen format) {
	l.add("", "", "self", chosen.mediaType, "This document")
	for _, offer := range l.x.h.offers.features {
		if offer.name != chosen.name {
			l.add("f", offer.name, "alternate", offer.mediaType, "This document as "+offer.mediaType)
		}
	}
}

// appendPageLinks adds the links of a page of features: itself, its neighbours, its collection.
func (x *exchange) appendPageLinks(out []byte, layer *catalog.Layer, chosen format, q registry.Query, page registry.Page) []byte {
	collection := collectionURL(x.base, layer.ID)
	l := x.beginLinks(out, collection+"/items")
	l.representations(chosen)
	end := q.Offset + page.Returned
	more := end < page.Matched || page.Matched < 0 && page.Returned == q.Limit
	if more && page.Returned > 0 {
		l.add("offset", strconv.Itoa(end), "next", chosen.mediaType, "Next page")
	}
	if q.Offset > 0 {
		before := ""
		if offset := q.Offset - q.Limit; offset > 0 {
			before = strconv.Itoa(offset)
		}
		l.add("offset", before, "prev", chosen.mediaType, "Previous page")
	}
	l.addURL(collection, "collection", typeJSON, titleOf(layer))
	return l.end()
}

func titleOf(layer *catalog.Layer) string {
	if layer.Title != "" {
		return layer.Title
	}
	return layer.ID
}
