package webhook

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Bounds of one delivery.
const (
	// MaxBodyBytes is the largest body that is read.
	MaxBodyBytes = 1 << 20
	// readTimeout bounds the time that a body may take.
	readTimeout = 10 * time.Second
	// storeTimeout is less than the ten seconds after which GitHub gives up.
	storeTimeout = 8 * time.Second
	// retryAfter is what a sender that came too early or too often is told, in seconds.
	retryAfter = 10
	// shownBytes bounds what is repeated of a sender's words.
	shownBytes = 64
)

// Handler answers deliveries.
type Handler struct {
	Config
	sources  *sources
	accepted *rate.Limiter
	reading  chan struct{}
}

// ServeHTTP answers one delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := h.deliver(w, r)
	h.Observe(o.provider, o.result)
	if o.err != nil {
		h.Logger.WarnContext(r.Context(), "a webhook was refused", "provider", o.provider, "result", o.result,
			"source", host(r.RemoteAddr), "error", o.err)
	} else {
		h.Logger.DebugContext(r.Context(), "a webhook was received", "provider", o.provider, "result", o.result,
			"source", host(r.RemoteAddr), "branches", o.answer.Branches, "reason", o.answer.Reason)
	}
	o.write(w)
}

func refusal(name string, status int, result string, err error) outcome {
	return outcome{provider: name, status: status, result: result, err: err, detail: err.Error()}
}

var (
	errMethod = errors.New("deliveries are sent with POST")
	errTooBig = fmt.Errorf("the body has more than %d bytes", MaxBodyBytes)
	errOften  = errors.New("too many deliveries: wait and try again")
	errBody   = errors.New("the body could not be read")
	errStore  = errors.New("the hint could not be stored: try again")
	errSecret = errors.New("this node cannot read its webhook secret; its log says why")
)

// deliver does everything in the order in which it may be done by somebody who
// is not known yet: limits first, then the signature, only then the payload.
func (h *Handler) deliver(w http.ResponseWriter, r *http.Request) outcome {
	const unknown = "unknown"
	if r.Method != http.MethodPost {
		return refusal(unknown, http.StatusMethodNotAllowed, ResultMethod, errMethod)
	}
	if !h.sources.allow(r.RemoteAddr, h.Now()) {
		return refusal(unknown, http.StatusTooManyRequests, ResultRateLimited, errOften)
	}
	sender, wrong := recognise(r.Header, h.Provider)
	if r.ContentLength > MaxBodyBytes {
		return refusal(sender.name, http.StatusRequestEntityTooLarge, ResultTooLarge, errTooBig)
	}
	if wrong != nil {
		return refusal(sender.name, http.StatusUnauthorized, ResultUnauthorized, wrong)
	}
	body, refused := h.body(w, r, sender.name)
	if refused != nil {
		return *refused
	}
	secret, err := h.Secret()
	if err == nil && secret == "" {
		err = errors.New("GitOps.Webhook.Secret is empty once it is expanded")
	}
	if err != nil {
		return outcome{provider: sender.name, status: http.StatusServiceUnavailable, result: ResultUnavailable, err: err, detail: errSecret.Error()}
	}
	if err := sender.verify(received{header: r.Header, body: body, now: h.Now()}, secret); err != nil {
		return refusal(sender.name, http.StatusUnauthorized, ResultUnauthorized, err)
	}
	return h.believed(r, sender, body)
}

// body reads all of it: what is signed are the bytes as they came.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, name string) ([]byte, *outcome) {
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	default:
		o := refusal(name, http.StatusTooManyRequests, ResultRateLimited, errOften)
		return nil, &o
	}
	// Not every connection has deadlines; the server's own holds for those.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	if err == nil {
		return body, nil
	}
	o := refusal(name, http.StatusBadRequest, ResultMalformed, errBody)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		o = refusal(name, http.StatusRequestEntityTooLarge, ResultTooLarge, errTooBig)
	}
	return nil, &o
}

// believed goes on with a delivery whose signature is good.
func (h *Handler) believed(r *http.Request, sender *provider, body []byte) outcome {
	if !h.accepted.AllowN(h.Now(), 1) {
		return refusal(sender.name, http.StatusTooManyRequests, ResultRateLimited, errOften)
	}
	pushed, ping := sender.kind(r.Header)
	if ping {
		return outcome{provider: sender.name, status: http.StatusOK, result: ResultPing}
	}
	if !pushed {
		return ignored(sender, fmt.Sprintf("the event %q is not a push", cut(r.Header.Get(sender.event))))
	}
	document, err := sender.document(r.Header, body)
	if err != nil {
		return refusal(sender.name, http.StatusBadRequest, ResultMalformed, err)
	}
	p, err := sender.read(document)
	if err != nil {
		return refusal(sender.name, http.StatusBadRequest, ResultMalformed, err)
	}
	if p.ignored != "" {
		return ignored(sender, p.ignored)
	}
	branches := []string{""}
	if !p.any {
		if branches = h.watched(p.branches); len(branches) == 0 {
			return ignored(sender, fmt.Sprintf("no environment watches branch %q", cut(p.branches[0])))
		}
	}
	return h.store(r, sender, body, branches)
}

func ignored(sender *provider, reason string) outcome {
	return outcome{provider: sender.name, status: http.StatusAccepted, result: ResultIgnored, answer: answer{Reason: reason}}
}

// watched are the branches that moved and that somebody watches, each once.
func (h *Handler) watched(moved []string) []string {
	var found []string
	for _, branch := range h.Branches() {
		if slices.Contains(moved, branch) && !slices.Contains(found, branch) {
			found = append(found, branch)
		}
	}
	return found
}

// store puts a hint for every branch into the log. A delivery that came before
// is remembered there, on every node and after a restart.
func (h *Handler) store(r *http.Request, sender *provider, body []byte, branches []string) outcome {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	number := sender.number(r.Header)
	caller := &pb.Caller{Identity: "webhook " + sender.name, Authentication: "webhook", Source: host(r.RemoteAddr)}
	o := outcome{provider: sender.name, status: http.StatusAccepted, result: ResultDuplicate}
	for _, branch := range branches {
		payload := &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Branch: branch}}}
		result, err := h.Proposer.Propose(ctx, requestID(sender.name, number, branch, body), h.Now().UnixMilli(), caller, payload)
		switch refused := result.Refusal; {
		case err != nil:
			return outcome{
				provider: sender.name, status: http.StatusServiceUnavailable, result: ResultUnavailable,
				err: fmt.Errorf("%w: %w", errStore, err), detail: errStore.Error(),
			}
		case refused != nil && refused.Class == fsm.ClassNotFound:
			o.answer.Reason = refused.Message // the settings have changed since
			continue
		case refused != nil:
			return outcome{
				provider: sender.name, status: http.StatusServiceUnavailable, result: ResultUnavailable,
				err: fmt.Errorf("%w: %w", errStore, refused), detail: errStore.Error(),
			}
		case !result.Replayed:
			o.result = ResultStored
		}
		o.answer.Generation = max(o.answer.Generation, result.Value)
		if branch != "" {
			o.answer.Branches = append(o.answer.Branches, branch)
		}
	}
	if o.answer.Generation == 0 {
		return ignored(sender, o.answer.Reason)
	}
	return o
}

// requestID is under what a delivery is remembered: the same number with the
// same body is the same delivery. The number alone would not do: most hosts do
// not sign it. A delivery without a number is never taken for a repetition: two
// pushes may well have the same body.
func requestID(sender, number, branch string, body []byte) string {
	if number == "" {
		return "webhook-" + rand.Text()
	}
	id := sha256.New()
	content := sha256.Sum256(body)
	for _, part := range []string{sender, number, branch, string(content[:])} {
		fmt.Fprintf(id, "%d:%s", len(part), part)
	}
	return "webhook-" + hex.EncodeToString(id.Sum(nil))
}

func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}

func cut(text string) string {
	if len(text) > shownBytes {
		return text[:shownBytes] + "…"
	}
	return text
}
