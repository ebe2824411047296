package sim

import (
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/leader"
)

// Bounds of the leader half and of questions, as the product has them, milliseconds.
const (
	askTimeout = 20_000
	serveWait  = 5_000
	// heartbeatMs is after how much silence a node counts as unavailable.
	heartbeatMs = 2000
)

// tenure carries out, in one term and on simulated time, what the product's
// desk says.
type tenure struct {
	n     *node
	term  uint64
	over  bool
	begun int64
	// due is when the next look is planned; 0 if none is.
	due  int64
	desk *leader.Desk
	// heard is what is known of each member's status.
	heard    map[string]hearsay
	pollers  map[string]*poller
	branches []string
	settings *fsm.Settings
}

// hearsay is which of its statuses a member was heard with: its own news, and
// the listener's, whose clock it is compared with.
type hearsay struct {
	incarnation string
	news, mine  uint64
}

// lead begins the leader half of a term, once the entries of earlier terms are
// applied. An earlier tenure of the same node ends first.
func (w *world) lead(n *node, term uint64) {
	if n.tenure != nil {
		n.tenure.end()
	}
	t := &tenure{n: n, term: term, begun: w.now, desk: leader.NewDesk(), heard: map[string]hearsay{}, pollers: map[string]*poller{}}
	n.tenure = t
	if n.state.Settings() == nil {
		t.propose(w.initCluster(), func(fsm.Result, error) {})
	}
	t.kick(1)
}

func (t *tenure) end() {
	t.over = true
	if t.n.tenure == t {
		t.n.tenure = nil
	}
}

// after plans something that only this tenure does.
func (t *tenure) after(ms int64, run func()) {
	t.n.after(ms, func() {
		if !t.over {
			run()
		}
	})
}

// kick plans a look, unless an earlier one is planned.
func (t *tenure) kick(ms int64) {
	at := t.n.w.now + max(ms, 2)
	if t.over || t.due != 0 && t.due <= at {
		return
	}
	t.due = at
	t.after(at-t.n.w.now, func() {
		if t.due == at {
			t.due = 0
			t.look()
		}
	})
}

func (t *tenure) stateChanged() {
	t.kick(2)
	for _, branch := range t.branches {
		t.pollers[branch].stateChanged()
	}
}

// uptime is a clock that nobody sets.
func (t *tenure) uptime() time.Duration { return time.Duration(t.n.w.now-t.begun) * time.Millisecond }

// look gathers, lets the desk plan, and carries out what it says. It reports
// whether there is something that rests or is under way.
func (t *tenure) look() (busy bool) {
	w, n := t.n.w, t.n
	w.count("looks")
	t.follow()
	t.admit()
	members := w.members()
	for _, id := range members {
		t.hear(w.node(id))
	}
	agenda := t.desk.Look(leader.Surroundings{
		State: n.state, Format: n.format, Now: n.clock(), Uptime: t.uptime(), Voters: w.voters(), Members: members, Silence: t.silence,
	})
	for _, work := range agenda.Begin {
		t.carryOut(work)
	}
	for _, branch := range agenda.Reread {
		if p := t.pollers[branch]; p != nil {
			p.kick()
		}
	}
	wake := agenda.Wake.Milliseconds()
	if wake == heartbeatMs {
		wake = t.deadline()
	}
	if wake > 0 && agenda.Wake < time.Hour {
		t.kick(wake)
	}
	return agenda.Resting || !t.desk.Idle() || len(agenda.Reread) > 0
}

func (t *tenure) silence(id string) time.Duration {
	if since, silent := t.n.unreachable[id]; silent {
		return time.Duration(t.n.w.now-since) * time.Millisecond
	}
	return 0
}

// deadline is in how long time alone changes something next; 0 if it does not.
// The desk also asks to be woken while every node is heard of, to see whether it
// still is: here, who is not heard of any more wakes it.
func (t *tenure) deadline() int64 {
	next, now := int64(0), t.n.clock()
	take := func(at int64) {
		if at > now && (next == 0 || at < next) {
			next = at
		}
	}
	state := t.n.state
	for env := range state.Environments() {
		if env.Operation != nil {
			take(env.Operation.Deadline)
		}
		if env.Pause != nil {
			take(env.Pause.Until)
		}
		for _, id := range env.Waiting {
			take(state.Deployment(id).ApprovalExpires())
		}
	}
	if freeze := state.Meta().Freeze; freeze != nil {
		take(freeze.Until)
	}
	return max(0, next-now)
}

// carryOut does what the desk put under way.
func (t *tenure) carryOut(work leader.Work) {
	done := func(came bool, effect func()) {
		if t.over {
			return
		}
		t.desk.Finish(work.Key, t.uptime(), came)
		if came {
			effect()
		}
		t.kick(2)
	}
	switch {
	case work.Question != nil:
		t.ask(*work.Question, done)
	case work.Upload != nil:
		t.upload(work.Upload, done)
	default:
		t.propose(work.Proposal, func(r fsm.Result, err error) {
			done(err == nil && r.Refusal == nil, func() { t.desk.Executed(work.Proposal) })
		})
	}
}

// finish is how work ends: whether it came to something, and what that changes.
type finish func(came bool, effect func())

// propose puts a decision of this term into the log.
func (t *tenure) propose(payload *pb.Payload, answer func(fsm.Result, error)) {
	life := t.n.lives
	t.n.w.propose(t.n, fsm.Header{Term: t.term, IssuedAt: t.n.clock()}, payload, nil, func(r fsm.Result, err error) {
		if t.n.up && t.n.lives == life && !t.over {
			answer(r, err)
		}
	})
}

// hear takes a member's status, if there is news of it and it is reached.
func (t *tenure) hear(n *node) {
	w := t.n.w
	now := hearsay{incarnation: n.incarnation, news: n.news, mine: t.n.news}
	// What was heard before would be heard again.
	if n.half == nil || t.heard[n.id] == now || !w.connected(t.n, n) || w.harm(0.1, "status lost") {
		return
	}
	request := &pb.GetNodeStatusRequest{}
	if s := t.n.state.Settings(); s != nil {
		request.SettingsDigest = s.FileDigest
	}
	status, err := n.half.GetNodeStatus(w.ctx, request)
	if err != nil {
		w.broken("driver", "%v", err)
	}
	if !w.planted(HideBuild) {
		status.Format = n.format
	}
	t.desk.Heard(n.id, status, t.n.clock())
	t.heard[n.id] = now
}

// admit puts members on record, as the cluster does when it admits them.
func (t *tenure) admit() {
	for _, n := range t.n.w.nodes {
		known := t.n.state.Node(n.id)
		switch {
		case n.member && n.up && t.n.state.Settings() != nil && (known == nil || known.Incarnation != n.incarnation):
			t.register(n)
		case !n.member && known != nil:
			t.once("forget/"+n.id, &pb.Payload{Command: &pb.Payload_ForgetNode{
				ForgetNode: &pb.ForgetNode{NodeId: n.id, Reason: "not in the configuration"},
			}})
		}
	}
}

func (t *tenure) register(n *node) {
	t.once("register/"+n.id, &pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{
		NodeId: n.id, Incarnation: n.incarnation, Voter: true, Version: "sim", RaftAddress: n.id + ":7701",
		GrpcAddress: n.id + ":7700", HttpAddress: n.id + ":5000", GossipAddress: n.id + ":7702",
	}}})
}

// once proposes what the cluster and not the desk decides on, one at a time.
func (t *tenure) once(key string, payload *pb.Payload) {
	if t.desk.Begin(key, t.uptime()) {
		t.carryOut(leader.Work{Key: key, Proposal: payload})
	}
}

// ask is a question with the index that it was asked at.
type ask struct {
	leader.Ask
	index uint64
}

// ask carries a question to a node and the answer back. Both may be lost, and
// come twice.
func (t *tenure) ask(q leader.Question, done finish) {
	w := t.n.w
	question, ok := q.Ask(t.n.state)
	n := w.node(q.Node)
	if !ok || n == nil || !w.connected(t.n, n) {
		t.after(1, func() { done(false, nil) })
		return
	}
	finished := false
	once := func(came bool, effect func()) {
		if !finished {
			finished = true
			done(came, effect)
		}
	}
	limit := int64(askTimeout)
	if q.Verify {
		limit = serveWait
	}
	t.after(limit, func() { once(false, nil) })
	if w.harm(0.04, "question lost") {
		return
	}
	t.deliver(n, question, q, once)
	if w.harm(0.04, "question repeated") {
		t.after(w.between(1, 10_000), func() { t.deliver(n, question, q, once) })
	}
}

func (t *tenure) deliver(n *node, question leader.Ask, q leader.Question, done finish) {
	w, incarnation := t.n.w, n.incarnation
	n.after(w.between(1, 5), func() {
		if n.incarnation != incarnation {
			return
		}
		n.hear(ask{question, t.n.applied}, func(staged *pb.StageResponse, verified *pb.VerifyResponse) {
			if w.harm(0.04, "answer lost") {
				return
			}
			delay := w.between(1, 5)
			if w.harm(0.03, "answer late") {
				delay = w.between(1000, 30_000)
			}
			t.after(delay, func() { t.answered(q, staged, verified, done) })
		})
	})
}

func (t *tenure) answered(q leader.Question, staged *pb.StageResponse, verified *pb.VerifyResponse, done finish) {
	var a leader.Answer
	ok := true
	if q.Verify {
		a, ok = leader.Verified(verified)
	} else {
		a = leader.Staged(staged)
	}
	if !ok || !q.Counts(t.n.state, a) {
		done(false, nil)
		return
	}
	done(true, func() { t.desk.Answered(q, a) })
}

// chunkBytes are small, so that a content has several.
const chunkBytes = 150

// upload puts a candidate's content into the state, chunk by chunk.
func (t *tenure) upload(c *leader.Candidate, done finish) {
	w := t.n.w
	var chunks []*pb.Payload
	for chunk := range leader.Chunks(c, w.id("upload"), w.library.contents[c.Digest], chunkBytes) {
		chunks = append(chunks, chunk)
	}
	var next func(i int)
	next = func(i int) {
		if i == len(chunks) {
			done(true, func() {})
			return
		}
		t.propose(chunks[i], func(r fsm.Result, err error) {
			switch {
			case err == nil && r.Refusal == nil:
				next(i + 1)
			case err == nil && leader.Faulty(r.Refusal):
				w.broken("driver", "a content was refused: %v", r.Refusal)
			default:
				done(false, nil)
			}
		})
	}
	next(0)
}
