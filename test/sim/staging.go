package sim

import (
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/leader"
)

// Bounds of the questions, as the product has them, milliseconds.
const (
	askTimeout = 20_000
	serveWait  = 5_000
)

// staging is what a node made of one operation's content: computed once, so
// that a successor who asks again gets the same answer.
type staging struct {
	operation uint64
	digest    string
	done      bool
	answer    leader.Answer
	asked     []func(leader.Answer)
}

// await runs something once the node is ready for it.
func (n *node) await(ready func() bool, run func()) {
	if ready() {
		run()
		return
	}
	n.waiters = append(n.waiters, waiter{ready: ready, run: run})
}

// hear is a question that arrived; answer may never be called.
func (n *node) hear(q leader.Question, op *fsm.Operation, index uint64, answer func(leader.Answer)) {
	n.await(func() bool { return n.applied >= index }, func() {
		if q.Verify {
			n.verify(q, op, answer)
			return
		}
		n.stage(q, op, answer)
	})
}

// stage checks a content against what this node can serve.
func (n *node) stage(q leader.Question, op *fsm.Operation, answer func(leader.Answer)) {
	env := n.state.Environment(q.Environment)
	if env == nil || env.Operation == nil || env.Operation.ID != q.Operation || env.Operation.Digest != op.Digest {
		return
	}
	st := n.stages[q.Environment]
	if st != nil && st.operation == q.Operation {
		if st.done {
			answer(st.answer)
		} else {
			st.asked = append(st.asked, answer)
		}
		return
	}
	st = &staging{operation: q.Operation, digest: op.Digest, asked: []func(leader.Answer){answer}}
	n.stages[q.Environment] = st
	state := n.state
	delay := n.w.between(1, 30)
	if n.w.chance(0.04) {
		n.w.count("slow staging")
		delay = n.w.between(4_000, 70_000)
	}
	n.after(delay, func() { n.finishStaging(state, q.Environment, st) })
}

func (n *node) finishStaging(state *fsm.State, environment string, st *staging) {
	st.answer = leader.Answer{Incarnation: n.incarnation, Accepted: true, Services: 1}
	if err := n.obtain(state, environment, st.digest); err != nil {
		st.answer.Accepted, st.answer.Problems = false, []string{err.Error()}
	}
	if !n.up {
		return
	}
	if n.w.natures[st.digest].rejects == n.id {
		st.answer.Accepted, st.answer.Problems = false, []string{"this node cannot serve it"}
	}
	st.done = true
	n.plantStaged(environment, st.digest)
	n.w.say("%s staged operation %d: %t", n.id, st.operation, st.answer.Accepted)
	if n.crashHere("after staging") {
		return
	}
	for _, answer := range st.asked {
		answer(st.answer)
	}
	st.asked = nil
}

// verify waits until an activation is served and probes it.
func (n *node) verify(q leader.Question, op *fsm.Operation, answer func(leader.Answer)) {
	served := func() bool {
		s, ok := n.serves[q.Environment]
		return ok && s.ActivationIndex >= op.ActivationIndex
	}
	until := n.w.now + serveWait
	n.after(serveWait, n.wake)
	n.await(func() bool { return served() || n.w.now >= until }, func() {
		if s := n.serves[q.Environment]; !served() || s.problem != "" || s.Digest != op.Digest {
			return
		}
		a := leader.Answer{Incarnation: n.incarnation, Accepted: true}
		if n.w.natures[op.Digest].fails == n.id {
			a.Accepted, a.Problems = false, []string{"a layer answers no more"}
		}
		answer(a)
	})
}

// status is what the node says of itself.
func (n *node) status(known string) *pb.GetNodeStatusResponse {
	r := &pb.GetNodeStatusResponse{
		NodeId: n.id, Incarnation: n.incarnation, Version: "sim", Format: fsm.FormatVersion, AppliedIndex: n.applied,
		SettingsDigest: n.settingsFile.digest, NowMs: n.clock(), RaftAddress: n.id + ":7701",
		GrpcAddress: n.id + ":7700", HttpAddress: n.id + ":5000", GossipAddress: n.id + ":7702",
	}
	if n.settingsFile.digest != known {
		r.Settings = n.settingsFile.value
	}
	for _, name := range environmentNames {
		s, ok := n.serves[name]
		if !ok || n.state.Environment(name) == nil {
			continue
		}
		r.Serves = append(r.Serves, &pb.ServedContent{
			Environment: name, Epoch: s.Epoch, ActivationIndex: s.ActivationIndex, Digest: s.Digest,
			Healthy: s.problem == "", Message: s.problem,
		})
	}
	slices.SortFunc(r.Serves, func(a, b *pb.ServedContent) int { return compareText(a.GetEnvironment(), b.GetEnvironment()) })
	return r
}
