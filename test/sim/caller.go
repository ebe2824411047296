package sim

import (
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// caller is a person with a client: one request at a time, repeated with the
// same id until its outcome is known.
type caller struct {
	w        *world
	identity string
	last     *request
}

// request is one thing that a caller wants done once.
type request struct {
	caller  *caller
	id      string
	issued  int64
	payload *pb.Payload
	// doubtful: an attempt of unknown outcome was made.
	doubtful bool
	done     bool
	sent     int
	// result is what the caller was told, if it was told anything.
	result *fsm.Result
	given  bool
	// forgotten: a restore took the cluster back to before it.
	forgotten bool
}

// attempt is one sending of a request.
type attempt struct {
	request *request
	// denied: the caller was told that this attempt is not executed.
	denied bool
}

// act makes a request and plans the next one.
func (c *caller) act() {
	w := c.w
	if w.calm {
		return
	}
	if w.harm(0.012, "backups and restores") && c.restore() {
		return
	}
	payload := c.choose()
	if payload == nil || !w.happens("requests") {
		w.after(w.between(200, 1500), c.act)
		return
	}
	c.ask(payload, func() { w.after(w.between(200, 2500), c.act) })
}

// ask sends a request until it is decided.
func (c *caller) ask(payload *pb.Payload, then func()) {
	w := c.w
	r := &request{caller: c, id: w.id("request"), issued: w.now + w.between(-2000, 2000), payload: payload}
	if c.last != nil && w.harm(0.02, "request id reused") {
		r.id, r.issued = c.last.id, c.last.issued
	}
	c.last = r
	w.book.requests = append(w.book.requests, r)
	c.send(r, then)
	if w.harm(0.08, "request sent twice") {
		c.send(r, func() {})
	}
}

// send makes one attempt through one of the nodes.
func (c *caller) send(r *request, then func()) {
	w := c.w
	n := pick(w, w.nodes)
	if !n.up || !n.member && w.calm {
		w.after(w.between(100, 1000), func() { c.send(r, then) })
		return
	}
	at := &attempt{request: r}
	r.sent++
	if w.plantAcknowledge(r) {
		then()
		return
	}
	header := fsm.Header{
		RequestID: r.id, IssuedAt: r.issued,
		Caller: &pb.Caller{Identity: c.identity, Authentication: "token", Source: "10.0.0.1"},
	}
	w.propose(n, header, r.payload, at, func(result fsm.Result, err error) { c.told(r, at, result, err, then) })
}

// settle ends a request, once, and goes on with what comes then.
func (r *request) settle(then func()) {
	if !r.done {
		r.done = true
		then()
	}
}

// told is what an attempt came to.
func (c *caller) told(r *request, at *attempt, result fsm.Result, err error, then func()) {
	w := c.w
	err = w.plantDenied(err)
	switch {
	case err == nil && result.Refusal != nil && !result.Refusal.Answers():
		// It knows no more than before, and gives up.
		r.doubtful = true
		r.settle(then)
	case err == nil:
		w.book.acknowledged(r, result)
		r.settle(then)
	case err == errNotExecuted && !r.doubtful && w.chance(0.5):
		at.denied = true
		r.given = true
		r.settle(then)
	default:
		at.denied = err == errNotExecuted
		r.doubtful = r.doubtful || err == errUnknown
		if err == errUnknown {
			w.count("unknown outcomes")
		}
		w.after(w.between(50, 1500), func() {
			if !r.done || r.result == nil && r.doubtful {
				c.send(r, then)
			}
		})
	}
}
