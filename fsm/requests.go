package fsm

import "strings"

// How long a request is remembered: whichever comes first. An older one is
// refused unexecuted, so that "not remembered" can never mean "executed again".
const (
	requestMemory   = 100_000
	requestLifetime = 24 * 60 * 60 * 1000
	// requestFuture bounds how far ahead of the cluster a caller's clock may be.
	requestFuture = 60 * 60 * 1000
	maxRequestID  = 128
)

// remembered answers a request that was seen before with its first result, and
// refuses what may have been forgotten (I3).
func (c *change) remembered() (Result, bool) {
	id := c.envelope.GetRequestId()
	if id == "" || plantForgetRequest {
		return Result{}, false
	}
	deny := func(reason, message string) (Result, bool) {
		return Result{Index: c.entry.Index, Refusal: &Refusal{Class: ClassInvalid, Reason: reason, Message: message}}, true
	}
	if len(id) > maxRequestID || strings.ContainsRune(id, 0) {
		return deny("bad_request_id", "a request id has at most 128 bytes and no NUL")
	}
	if first := c.requests.get(id); first != nil {
		if first.Payload != [32]byte(c.envelope.GetChecksum()) || first.Caller != c.actor() {
			return deny("request_id_reused", "request id "+id+" was used for another request: make a new id")
		}
		again := first.Result
		again.Replayed = true
		return again, true
	}
	issued := c.envelope.GetIssuedAtMs()
	if issued <= c.meta.RequestHorizon || issued < c.now()-requestLifetime {
		return deny(ReasonTooOld, "request "+id+" is older than what is remembered: see whether it was executed, then use a new id")
	}
	if issued > c.now()+requestFuture {
		return deny(ReasonFromFuture, "request "+id+" was issued in the future: check the caller's clock, then see whether it was executed, and use a new id")
	}
	return Result{}, false
}

func (c *change) remember(r Result) {
	id := c.envelope.GetRequestId()
	if id == "" {
		return
	}
	request := &Request{
		ID: id, Ordinal: c.ordinal(), IssuedAt: c.envelope.GetIssuedAtMs(), At: c.now(),
		Payload: [32]byte(c.envelope.GetChecksum()), Caller: c.actor(), Result: r,
	}
	c.forgetRequests(requestMemory - 1)
	c.requests.put(request)
	c.requestAges.put(request)
}

// forgetRequests drops at most two: one more than a command adds, so that the
// memory shrinks without a pause.
func (c *change) forgetRequests(limit int) {
	for range 2 {
		r := c.requestAges.now().first()
		if r == nil || c.requests.now().len() <= limit && r.At >= c.now()-requestLifetime {
			return
		}
		c.requests.drop(r.ID)
		c.requestAges.drop(number(r.Ordinal))
		c.meta.RequestHorizon = max(c.meta.RequestHorizon, r.IssuedAt)
	}
}
