package ogc

import (
	"net/http"
	"strings"
)

// baseURL is scheme and host of the links of a response: what the client asked for, or, behind a trusted proxy, what
// the client asked the proxy for.
func (h *Handler) baseURL(r *http.Request) string {
	scheme, host := "http://", r.Host
	if r.TLS != nil {
		scheme = "https://"
	}
	if h.config.TrustForwarded {
		switch forwarded(r, "X-Forwarded-Proto") {
		case "https":
			scheme = "https://"
		case "http":
			scheme = "http://"
		}
		if name := forwarded(r, "X-Forwarded-Host"); name != "" && isHost(name) {
			host = name
		}
	}
	if !isHost(host) {
		host = "localhost" // HTTP/1.0 without Host, or something that must not get into links
	}
	return scheme + host
}

// forwarded is the first value of a header: with several proxies that is the one nearest to the client.
func forwarded(r *http.Request, header string) string {
	first, _, _ := strings.Cut(r.Header.Get(header), ",")
	return strings.TrimSpace(first)
}

// isHost reports whether a text has the characters of host:port only.
func isHost(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !strings.ContainsRune("-._~:[]%", rune(c)) {
			return false
		}
	}
	return text != "" && len(text) <= 260
}
