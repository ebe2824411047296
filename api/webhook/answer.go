package webhook

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Results by which deliveries are counted.
const (
	ResultStored       = "stored"
	ResultDuplicate    = "duplicate"
	ResultIgnored      = "ignored"
	ResultPing         = "ping"
	ResultUnauthorized = "unauthorized"
	ResultTooLarge     = "too_large"
	ResultMalformed    = "malformed"
	ResultRateLimited  = "rate_limited"
	ResultUnavailable  = "unavailable"
	ResultMethod       = "method"
)

// answer is what the sender is told; Git hosts show it to their users.
type answer struct {
	// Result is stored, duplicate, ignored or ping.
	Result string `json:"result"`
	// Branches are those that are polled now; empty for all.
	Branches []string `json:"branches,omitempty"`
	// Generation is the poll that was asked for.
	Generation uint64 `json:"generation,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

// outcome is the end of one delivery.
type outcome struct {
	provider string
	status   int
	result   string
	answer   answer
	// err is why it was refused; what the sender may know of it is in detail.
	err    error
	detail string
}

func (o outcome) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	var body any
	if o.status < http.StatusBadRequest {
		h.Set("Content-Type", "application/json")
		o.answer.Result = o.result
		body = o.answer
	} else {
		// RFC 9457
		h.Set("Content-Type", "application/problem+json")
		body = map[string]any{"type": "about:blank", "title": http.StatusText(o.status), "status": o.status, "detail": o.detail}
	}
	switch o.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close")
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		encoded = []byte("{}") // not reached: strings and numbers
	}
	w.WriteHeader(o.status)
	// A sender that has gone away is the only way for this to fail.
	_, _ = w.Write(append(encoded, '\n'))
}
