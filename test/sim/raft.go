package sim

import (
	"errors"
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// raft is the replicated log, without the messages that make it: one committed
// sequence, at most one leader for each term, and what a leader has accepted
// and not committed, which may or may not survive it.
type raft struct {
	term   uint64
	leader *node
	// log is what is committed; the index of an entry is its place, from 1.
	log []logEntry
	// tail is what the leader has accepted; orphans is what the last one left.
	tail, orphans []*proposal
	// lost is the leader that left the orphans, and its process life.
	lost     *node
	lostLife int
	electing bool
}

// logEntry is a committed entry; without a proposal it is raft's own.
type logEntry struct {
	term     uint64
	proposal *proposal
}

// proposal is a command on its way.
type proposal struct {
	header  fsm.Header
	payload *pb.Payload
	data    []byte
	term    uint64
	answer  func(fsm.Result, error)
	// attempt is the caller's, nil for the leader half.
	attempt *attempt
}

// What a proposer is told instead of a result.
var (
	errNotExecuted = errors.New("not executed")
	errUnknown     = errors.New("the outcome is unknown")
)

// settle tells the proposer, once.
func (p *proposal) settle(r fsm.Result, err error) {
	if answer := p.answer; answer != nil {
		p.answer = nil
		answer(r, err)
	}
}

// commitIndex is the index of the newest committed entry.
func (r *raft) commitIndex() uint64 { return uint64(len(r.log)) }

// at returns a committed entry.
func (r *raft) at(index uint64) *logEntry { return &r.log[index-1] }

// propose carries a command from a node to the leader.
func (w *world) propose(from *node, h fsm.Header, payload *pb.Payload, at *attempt, answer func(fsm.Result, error)) {
	h.Proposer, h.ProposedAt = from.id, from.clock()
	p := &proposal{header: h, payload: payload, attempt: at, answer: answer}
	data, err := fsm.Encode(w.plantProposal(p), payload)
	if err != nil {
		w.broken("driver", "%v", err)
	}
	p.data = data
	if w.raft.leader == from {
		w.accept(from, p)
		return
	}
	w.after(w.between(1, 5), func() { w.accept(from, p) })
}

// accept appends a command to the leader's log, if there is a leader to reach.
func (w *world) accept(from *node, p *proposal) {
	leader := w.raft.leader
	if leader == nil || !w.connected(from, leader) {
		w.after(1, func() { p.settle(fsm.Result{}, errNotExecuted) })
		return
	}
	if from != leader && w.harm(0.03, "request lost") {
		w.after(w.between(100, 3000), func() { p.settle(fsm.Result{}, errUnknown) })
		return
	}
	if w.plantDrops(p) {
		w.after(500, func() { p.settle(fsm.Result{}, errNotExecuted) })
		return
	}
	p.term = w.raft.term
	w.raft.tail = append(w.raft.tail, p)
	term := w.raft.term
	delay := w.between(1, 4)
	if w.chance(0.05) {
		delay = w.between(20, 800)
	}
	w.after(delay, func() { w.commit(term) })
}

// commit makes what the leader accepted part of the log, if a majority has it.
func (w *world) commit(term uint64) {
	leader := w.raft.leader
	if leader == nil || w.raft.term != term || len(w.raft.tail) == 0 || !w.quorum(leader) {
		return
	}
	n := len(w.raft.tail)
	if n > 1 && w.chance(0.2) {
		n = 1 + w.random.IntN(n)
		w.after(w.between(1, 20), func() { w.commit(term) })
	}
	for _, p := range w.raft.tail[:n] {
		w.append(p.term, p)
	}
	w.raft.tail = slices.Clone(w.raft.tail[n:])
	w.replicate(leader)
	if w.chance(0.1) {
		leader.after(w.between(1, 60), leader.apply)
		return
	}
	leader.apply()
}

func (w *world) append(term uint64, p *proposal) {
	w.raft.log = append(w.raft.log, logEntry{term: term, proposal: p})
	if p != nil && w.trace.on {
		w.say("commit %d.%d %s", term, w.raft.commitIndex(), describe(p))
	}
}

// replicate puts the log onto a majority at once and onto the others later.
func (w *world) replicate(leader *node) {
	index := w.raft.commitIndex()
	leader.disk.stored = index
	have, need := 1, w.majority()
	for _, n := range w.nodes {
		if n == leader || !n.member || !w.connected(leader, n) {
			continue
		}
		if n.voter && (have < need || w.chance(0.7)) {
			n.disk.stored = index
			have++
		}
		n.pull()
	}
}

// majority is how many voters decide.
func (w *world) majority() int {
	voters := 0
	for _, n := range w.nodes {
		if n.member && n.voter {
			voters++
		}
	}
	return voters/2 + 1
}

// quorum reports whether a node reaches a majority of the voters.
func (w *world) quorum(from *node) bool {
	reached := 0
	for _, n := range w.nodes {
		if n.member && n.voter && w.connected(from, n) {
			reached++
		}
	}
	return reached >= w.majority()
}

// connected reports whether two nodes run and reach each other.
func (w *world) connected(a, b *node) bool {
	return a.up && b.up && (a == b || a.group == b.group)
}
