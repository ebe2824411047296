package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/leader"
)

// Pauses of the leader half, as the product has them, milliseconds.
const (
	retryPause     = 200
	statusInterval = 1000
	maxSkew        = 5000
	// heartbeatMs is after how much silence a node counts as unavailable.
	heartbeatMs = 2000
)

// tenure is the leader half in one term: it gathers inputs, asks the real Plan
// and carries out what it decides.
type tenure struct {
	n    *node
	term uint64
	over bool
	// due is when the next look is planned; 0 if none is.
	due        int64
	inflight   map[string]bool
	rests      map[string]int64
	peers      map[string]leader.Peer
	heard      map[string]int64
	skews      map[string]int64
	polls      map[string]leader.Poll
	candidates map[string]*leader.Candidate
	answers    map[leader.Question]leader.Answer
	pollers    map[string]*poller
	settings   *fsm.Settings
	trusted    bool
}

// lead begins the leader half of a term, once the entries of earlier terms are
// applied. An earlier tenure of the same node ends first.
func (w *world) lead(n *node, term uint64) {
	if n.tenure != nil {
		n.tenure.end()
	}
	t := &tenure{
		n: n, term: term, inflight: map[string]bool{}, rests: map[string]int64{}, peers: map[string]leader.Peer{},
		heard: map[string]int64{}, skews: map[string]int64{}, polls: map[string]leader.Poll{},
		candidates: map[string]*leader.Candidate{}, answers: map[leader.Question]leader.Answer{}, pollers: map[string]*poller{},
	}
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
	for _, branch := range slices.Sorted(maps.Keys(t.pollers)) {
		t.pollers[branch].stateChanged()
	}
}

// look gathers, plans and carries out.
func (t *tenure) look() {
	w := t.n.w
	w.count("looks")
	t.follow()
	t.admit()
	in := t.inputs()
	d := leader.Plan(in)
	if d.Wake == in.Now+heartbeatMs {
		d.Wake = t.deadline()
	}
	wake := int64(0)
	if d.Wake > 0 {
		wake = max(1, d.Wake-t.n.clock())
	}
	start := func(key string, work func(done func(func()))) {
		if rest, ok := t.rests[key]; ok && w.now < rest {
			if wake == 0 || rest-w.now < wake {
				wake = rest - w.now
			}
			return
		}
		delete(t.rests, key)
		t.start(key, work)
	}
	for _, p := range d.Proposals {
		start(p.Key, func(done func(func())) { t.carry(p, done) })
	}
	for _, q := range d.Questions {
		start(fmt.Sprintf("ask/%s/%d/%s/%t", q.Environment, q.Operation, q.Node, q.Verify), func(done func(func())) { t.ask(q, done) })
	}
	for _, environment := range d.Uploads {
		c := t.candidates[environment]
		start("upload/"+c.Digest, func(done func(func())) { t.upload(c, done) })
	}
	for _, branch := range d.Reread {
		if p := t.pollers[branch]; p != nil {
			p.kick()
		}
	}
	if wake > 0 {
		t.kick(wake)
	}
}

// deadline is when time alone changes something next. Plan also asks to be
// woken while every node is heard of, to see whether it still is: here, who is
// not heard of any more wakes it.
func (t *tenure) deadline() int64 {
	next := int64(0)
	take := func(at int64) {
		if at > t.n.clock() && (next == 0 || at < next) {
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
	return next
}

// start begins work unless the same is under way. It ends with done: with
// nothing if it came to nothing, and then rests for a while.
func (t *tenure) start(key string, work func(done func(func()))) {
	if t.inflight[key] || t.n.w.now < t.rests[key] {
		return
	}
	t.inflight[key] = true
	work(func(effect func()) {
		if t.over || !t.inflight[key] {
			return
		}
		delete(t.inflight, key)
		if effect == nil {
			t.rests[key] = t.n.w.now + retryPause
		} else {
			effect()
		}
		t.kick(2)
	})
}

// propose puts a decision of this term into the log.
func (t *tenure) propose(payload *pb.Payload, answer func(fsm.Result, error)) {
	life := t.n.lives
	t.n.w.propose(t.n, fsm.Header{Term: t.term, IssuedAt: t.n.clock()}, payload, nil, func(r fsm.Result, err error) {
		if t.n.up && t.n.lives == life && !t.over {
			answer(r, err)
		}
	})
}

func (t *tenure) carry(p leader.Proposal, done func(func())) {
	t.propose(p.Payload, func(r fsm.Result, err error) {
		if err != nil || r.Refusal != nil {
			done(nil)
			return
		}
		done(func() {
			if poll := p.Payload.GetObservePoll(); poll != nil {
				if known := t.polls[poll.GetBranch()]; known.Generation == poll.GetGeneration() && known.NextPoll == poll.GetNextPollMs() {
					delete(t.polls, poll.GetBranch())
				}
			}
		})
	})
}

// inputs is everything that Plan looks at.
func (t *tenure) inputs() leader.Inputs {
	w := t.n.w
	state := t.n.state
	for q := range t.answers {
		env := state.Environment(q.Environment)
		if env == nil || env.Operation == nil || env.Operation.ID != q.Operation {
			delete(t.answers, q)
		}
	}
	members := w.members()
	for _, id := range members {
		t.hear(w.node(id))
	}
	t.judgeClock()
	return leader.Inputs{
		State: state, Now: t.n.clock(), ClockTrusted: t.trusted, Voters: w.voters(), Members: members,
		Peers: t.peers, Polls: t.polls, Candidates: t.candidates, Answers: t.answers,
	}
}

// hear takes a member's status, if it is due and the member is reached.
func (t *tenure) hear(n *node) {
	w := t.n.w
	peer := t.peers[n.id]
	peer.SilentMs = 0
	if since, silent := t.n.unreachable[n.id]; silent {
		peer.SilentMs = w.now - since
	}
	if w.connected(t.n, n) && !w.chance(0.1) {
		known := ""
		if s := t.n.state.Settings(); s != nil {
			known = s.FileDigest
		}
		peer.Status = n.status(known)
		t.heard[n.id], t.skews[n.id] = w.now, n.skew-t.n.skew
	}
	t.peers[n.id] = peer
}

// judgeClock compares this clock with the voters'.
func (t *tenure) judgeClock() {
	var skews []int64
	for _, id := range t.n.w.voters() {
		if t.peers[id].Status != nil {
			skews = append(skews, t.skews[id])
		}
	}
	t.trusted = true
	if len(skews) > 0 {
		slices.Sort(skews)
		middle := skews[len(skews)/2]
		t.trusted = middle <= maxSkew && middle >= -maxSkew
	}
}

// admit puts members on record, as the cluster does when it admits them.
func (t *tenure) admit() {
	for _, n := range t.n.w.nodes {
		known := t.n.state.Node(n.id)
		switch {
		case n.member && n.up && t.n.state.Settings() != nil && (known == nil || known.Incarnation != n.incarnation):
			t.register(n)
		case !n.member && known != nil:
			t.start("forget/"+n.id, func(done func(func())) {
				t.carry(leader.Proposal{Payload: &pb.Payload{Command: &pb.Payload_ForgetNode{
					ForgetNode: &pb.ForgetNode{NodeId: n.id, Reason: "not in the configuration"},
				}}}, done)
			})
		}
	}
}

func (t *tenure) register(n *node) {
	t.start("register/"+n.id, func(done func(func())) {
		t.carry(leader.Proposal{Payload: &pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{
			NodeId: n.id, Incarnation: n.incarnation, Voter: true, Version: "sim", RaftAddress: n.id + ":7701",
			GrpcAddress: n.id + ":7700", HttpAddress: n.id + ":5000", GossipAddress: n.id + ":7702",
		}}}}, done)
	})
}

// ask carries a question to a node and the answer back; both may be lost.
func (t *tenure) ask(q leader.Question, done func(func())) {
	w := t.n.w
	env := t.n.state.Environment(q.Environment)
	n := w.node(q.Node)
	if env == nil || env.Operation == nil || env.Operation.ID != q.Operation || n == nil || !w.connected(t.n, n) {
		t.after(1, func() { done(nil) })
		return
	}
	finished := false
	finish := func(effect func()) {
		if !finished {
			finished = true
			done(effect)
		}
	}
	limit := int64(askTimeout)
	if q.Verify {
		limit = serveWait
	}
	t.after(limit, func() { finish(nil) })
	if w.chance(0.04) {
		w.count("question lost")
		return
	}
	op, index, incarnation := env.Operation, t.n.applied, n.incarnation
	n.after(w.between(1, 5), func() {
		if n.incarnation != incarnation {
			return
		}
		n.hear(q, op, index, func(a leader.Answer) {
			if w.chance(0.04) {
				w.count("answer lost")
				return
			}
			delay := w.between(1, 5)
			if w.chance(0.03) {
				delay = w.between(1000, 30_000)
			}
			t.after(delay, func() {
				if known := t.n.state.Node(q.Node); known == nil || known.Incarnation != a.Incarnation {
					finish(nil)
					return
				}
				finish(func() { t.answers[q] = a })
			})
		})
	})
}

// upload puts a candidate's content into the state, chunk by chunk.
func (t *tenure) upload(c *leader.Candidate, done func(func())) {
	w := t.n.w
	packed := w.library.packed(c.Environment, c.Digest)
	const size = 150
	total := (len(packed) + size - 1) / size
	id := w.id("upload")
	var next func(i int)
	next = func(i int) {
		if i == total {
			done(func() {})
			return
		}
		t.propose(&pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
			UploadId: id, Digest: c.Digest, Sequence: uint32(i), Total: uint32(total), RawSize: int64(len(c.Encoded)),
			Data: packed[i*size : min((i+1)*size, len(packed))],
		}}}, func(r fsm.Result, err error) {
			switch {
			case err != nil:
				done(nil)
			case r.Refusal != nil && (r.Refusal.Class == fsm.ClassExhausted || r.Refusal.Class == fsm.ClassInvalid):
				w.broken("driver", "a content was refused: %v", r.Refusal)
			case r.Refusal != nil:
				done(nil)
			default:
				next(i + 1)
			}
		})
	}
	next(0)
}
