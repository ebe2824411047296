package ogc

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// problemDocument is an error as RFC 9457 writes it, with the members of the standard's exception schema.
type problemDocument struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Status      int    `json:"status"`
	Detail      string `json:"detail,omitempty"`
	Code        string `json:"code"`
	Description string `json:"description,omitempty"`
}

// problem answers with an error. The detail is for the client: nothing of sources, hosts and files belongs there.
func (x *exchange) problem(status int, detail string) {
	x.status = status
	title := http.StatusText(status)
	body, err := json.Marshal(problemDocument{
		Type: "about:blank", Title: title, Status: status, Detail: detail,
		Code: strings.ReplaceAll(title, " ", ""), Description: detail,
	})
	if err != nil {
		body = []byte("{}") // not reached: strings and a number
	}
	header := x.w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Del("ETag")
	header.Del("Content-Crs")
	x.w.WriteHeader(status)
	// A client that has gone away is the only way for this to fail.
	_, _ = x.w.Write(body)
}

// unavailable answers that another attempt may succeed.
func (x *exchange) unavailable(detail string) {
	x.w.Header().Set("Retry-After", x.h.retry)
	x.problem(http.StatusServiceUnavailable, detail)
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

// headerText keeps a text in one line of visible ASCII.
func headerText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, text)
}
