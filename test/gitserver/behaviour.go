package gitserver

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Behaviour answers a request in some way of its own. normal answers it properly; closing is
// closed when the server ends.
type Behaviour func(w http.ResponseWriter, r *http.Request, normal http.Handler, closing <-chan struct{})

// Status answers with an HTTP status.
func Status(code int) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		http.Error(w, http.StatusText(code), code)
	}
}

// Hang does not answer until the client goes away or the server ends.
func Hang() Behaviour {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler, closing <-chan struct{}) {
		select {
		case <-r.Context().Done():
		case <-closing:
		}
	}
}

// Body answers with a status of 200, the right content type, and this text.
func Body(text string) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, _ <-chan struct{}) {
		w.Header().Set("Content-Type", contentType(r))
		_, _ = io.WriteString(w, text)
	}
}

// Page answers with an HTML page, as a proxy or a login form does.
func Page() Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body>Please log in</body></html>")
	}
}

// Redirect sends the client elsewhere: target is put before the request's path and query.
func Redirect(target string, code int) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, _ <-chan struct{}) {
		http.Redirect(w, r, target+r.URL.RequestURI(), code)
	}
}

// Truncate cuts the proper answer off after a number of bytes, and closes the connection as if
// it was complete.
func Truncate(bytes int) Behaviour {
	return alter(func(body []byte) []byte { return body[:min(bytes, len(body))] })
}

// TruncateTail leaves the last bytes of the proper answer away.
func TruncateTail(bytes int) Behaviour {
	return alter(func(body []byte) []byte { return body[:max(0, len(body)-bytes)] })
}

// Corrupt flips the bits of one byte of the proper answer, counted from the start, or from the
// end if negative.
func Corrupt(at int) Behaviour {
	return alter(func(body []byte) []byte {
		if at < 0 {
			at += len(body)
		}
		if at >= 0 && at < len(body) {
			body[at] ^= 0xff
		}
		return body
	})
}

// Flood repeats text without end.
func Flood(text string) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, closing <-chan struct{}) {
		w.Header().Set("Content-Type", contentType(r))
		block := strings.Repeat(text, 1+32<<10/len(text))
		for {
			select {
			case <-closing:
				return
			default:
			}
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	}
}

func alter(change func([]byte) []byte) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, normal http.Handler, _ <-chan struct{}) {
		recorded := httptest.NewRecorder()
		normal.ServeHTTP(recorded, r)
		for name, values := range recorded.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(change(recorded.Body.Bytes()))
	}
}

func contentType(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/info/refs") {
		return "application/x-git-upload-pack-advertisement"
	}
	return "application/x-git-upload-pack-result"
}

// peek returns the beginning of a request's content and leaves the request as it was.
func peek(r *http.Request) (string, error) {
	reader := bufio.NewReader(r.Body)
	start, err := reader.Peek(64)
	if err != nil && len(start) == 0 && err != io.EOF {
		return "", err
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{reader, r.Body}
	return string(bytes.Clone(start)), nil
}
