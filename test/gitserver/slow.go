package gitserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// dripPause is what Drip waits after each byte.
const dripPause = 100 * time.Millisecond

// Drip answers properly, a byte at a time: something always arrives, and never all of it in time.
func Drip() Behaviour {
	return recorded(func(w http.ResponseWriter, r *http.Request, body []byte, closing <-chan struct{}) {
		for _, b := range body {
			if _, err := w.Write([]byte{b}); err != nil {
				return
			}
			flush(w)
			if !waits(r, closing, dripPause) {
				return
			}
		}
	})
}

// Stall gives the beginning of the proper answer, and then nothing until the client goes away or the server ends.
func Stall(after int) Behaviour {
	return recorded(func(w http.ResponseWriter, r *http.Request, body []byte, closing <-chan struct{}) {
		_, _ = w.Write(body[:min(after, len(body))])
		flush(w)
		select {
		case <-r.Context().Done():
		case <-closing:
		}
	})
}

// Prefix gives a text before what another behaviour answers.
func Prefix(text string, then Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, normal http.Handler, closing <-chan struct{}) {
		w.Header().Set("Content-Type", contentType(r))
		_, _ = io.WriteString(w, text)
		then(w, r, normal, closing)
	}
}

// recorded hands on the proper answer's content after writing its header.
func recorded(answer func(w http.ResponseWriter, r *http.Request, body []byte, closing <-chan struct{})) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, normal http.Handler, closing <-chan struct{}) {
		whole := httptest.NewRecorder()
		normal.ServeHTTP(whole, r)
		for name, values := range whole.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(whole.Code)
		answer(w, r, whole.Body.Bytes(), closing)
	}
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

func waits(r *http.Request, closing <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-closing:
	}
	return false
}
