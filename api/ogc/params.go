package ogc

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// params are the query parameters of a request, each of which may be given once.
type params struct {
	values url.Values
	// written are the parameters as they stand in a URL, in the order of their names.
	written []writtenParam
}

// writtenParam is one parameter as name=value, escaped.
type writtenParam struct{ name, text string }

// parseParams reads a query. Its errors wrap errParameter.
func parseParams(raw string) (params, error) {
	if raw == "" {
		return params{}, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return params{}, badParameter("the query of the URL", "well-formed")
	}
	for name, given := range values {
		if len(given) > 1 {
			return params{}, badParameter(strconv.Quote(name), "given once only")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(given[0]) || strings.ContainsRune(given[0], 0) {
			return params{}, badParameter("the query of the URL", "UTF-8 text without NUL")
		}
	}
	p := params{values: values, written: make([]writtenParam, 0, len(values))}
	for name, given := range values {
		p.written = append(p.written, writtenParam{name, url.QueryEscape(name) + "=" + url.QueryEscape(given[0])})
	}
	slices.SortFunc(p.written, func(a, b writtenParam) int { return strings.Compare(a.name, b.name) })
	return p, nil
}

// get returns a parameter's value; empty if it is missing.
func (p params) get(name string) string {
	if given := p.values[name]; len(given) > 0 {
		return given[0]
	}
	return ""
}

// lookup tells an empty value from a missing one.
func (p params) lookup(name string) (string, bool) {
	given, ok := p.values[name]
	return p.get(name), ok && len(given) > 0
}

// query returns the parameters as they stand in a URL, with the question mark, in one canonical order.
func (p params) query() string { return string(p.appendWith(nil, "", "")) }

// appendWith adds what query returns with one parameter replaced; an empty value takes it away, an empty name changes
// nothing.
func (p params) appendWith(out []byte, name, value string) []byte {
	mark := byte('?')
	add := func(text string) {
		out = append(append(out, mark), text...)
		mark = '&'
	}
	replace := func() {
		if value != "" {
			add(url.QueryEscape(name) + "=" + url.QueryEscape(value))
		}
	}
	done := name == ""
	for _, w := range p.written {
		if !done && w.name >= name {
			replace()
			done = true
		}
		if name == "" || w.name != name {
			add(w.text)
		}
	}
	if !done {
		replace()
	}
	return out
}

// onlyParams answers 400 if there is a parameter that the resource does not know. Every resource knows f.
func (x *exchange) onlyParams(known ...string) bool {
	var unknown []string
	for name := range x.params.values {
		if name != "f" && !slices.Contains(known, name) {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if len(unknown) == 0 {
		return true
	}
	slices.Sort(unknown)
	x.problem(http.StatusBadRequest, "This resource does not know the parameter "+strings.Join(unknown, ", ")+".")
	return false
}
