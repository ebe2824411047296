package sim

import (
	"context"
	"log/slog"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	half "github.com/honua-io/honua-gitops/reconciler/node"
	real "github.com/honua-io/honua-gitops/reconciler/registry"
)

// open lets the product's node half serve what was active last, from disk,
// before anything of the log is there.
func (n *node) open(then func()) {
	n.run(func() {
		opened, err := half.Open(n.w.ctx, n.halfConfig())
		n.w.task.survive()
		if err != nil {
			if !n.disturbed {
				n.w.broken("I2", "%s cannot open its disk: %v", n.id, err)
			}
			n.stopped("it cannot open its disk")
			return
		}
		n.half = opened
		n.w.book.resumed(n)
		then()
	})
}

func (n *node) halfConfig() half.Config {
	inner, err := real.New(real.Config{
		Drivers:   map[string]real.Driver{"none": nil},
		LookupEnv: func(string) (string, bool) { return "", false },
		ReadFile:  func(string) ([]byte, error) { return nil, nil },
		Logger:    silent,
	})
	if err != nil {
		n.w.broken("driver", "%v", err)
	}
	n.store = fsm.NewStore(n.state)
	return half.Config{
		NodeID: n.id, Version: "sim", Incarnation: n.incarnation, DataDirectory: dataFolder, StateDirectory: stateFolder,
		ApprovalDirectory: approvalFolder, Files: n.disk, Store: n.store, Registry: &server{n: n, Registry: inner},
		CaughtUp:  func() bool { return n.applied >= n.catchUpTo },
		Settings:  func() (string, []byte) { return n.settingsFile.digest, n.settingsFile.value },
		Addresses: half.Addresses{Raft: n.id + ":7701", GRPC: n.id + ":7700", HTTP: n.id + ":5000", Gossip: n.id + ":7702"},
		Now:       func() time.Time { return time.UnixMilli(n.clock()) },
		Logger:    silent,
	}
}

// silent is the log of all nodes: what counts is what they do.
var silent = slog.New(slog.DiscardHandler)

// server is what a node serves from: the product's registry, in which contents
// have the nature that the run gave them.
type server struct {
	*real.Registry
	n *node
}

// Build makes a catalog; what a node rejects fails its strict checks.
func (s *server) Build(ctx context.Context, in real.BuildInput) (*real.Catalog, []catalog.Problem) {
	n := s.n
	w := n.w
	if in.Checks == real.Strict {
		delay := w.between(1, 30)
		if w.harm(0.04, "slow staging") {
			delay = w.between(4_000, 70_000)
		}
		w.sleep(delay)
		if w.natures[in.Digest].rejects == n.id {
			return nil, []catalog.Problem{{Severity: catalog.Error, Message: "this node cannot serve it"}}
		}
		n.plantStaged(in.Environment, in.Digest)
		in.Checks = real.Structural
	}
	return s.Registry.Build(ctx, in)
}

// Swap serves something else from now on.
func (s *server) Swap(environment string, next *real.Catalog) string {
	n := s.n
	n.w.task.survive()
	n.w.book.swapped(n, environment, next.Digest())
	n.registry[environment] = next.Digest()
	previous := s.Registry.Swap(environment, next)
	n.w.say("%s serves %.7s in %s", n.id, next.Digest(), environment)
	if n.w.harm(dieChance, "death after the swap") {
		n.die("after the swap")
	}
	return previous
}

// Probe finds broken what breaks on this node.
func (s *server) Probe(_ context.Context, environment string) ([]real.ProbeResult, bool) {
	digest, ok := s.n.registry[environment]
	fails := s.n.w.natures[digest].fails == s.n.id
	return []real.ProbeResult{{Layer: "layer", OK: !fails, PassedAtStaging: true, Reason: "it answers no more"}}, ok
}

// follow looks, after a change, for what is to be activated.
func (n *node) follow() {
	if n.acting {
		n.again = true
		return
	}
	n.acting, n.again = true, false
	n.after(n.w.between(0, 10), n.catchUp)
}

// catchUp activates every environment that is behind. Only the newest state
// counts, and none before the node has caught up.
func (n *node) catchUp() {
	if n.half == nil || !n.plantAhead() && n.applied < n.catchUpTo || n.plantStops() {
		n.acting = false
		return
	}
	n.run(func() {
		before := n.serves()
		behind, err := n.half.CatchUp(n.w.ctx, n.plantState())
		n.w.task.survive()
		if err != nil {
			if !n.disturbed {
				n.w.broken("I2", "%s cannot write its journal: %v", n.id, err)
			}
			n.stopped("it cannot write its journal")
			return
		}
		n.acting = false
		if n.serves() != before {
			n.wake()
			n.reportSoon()
		}
		n.show()
		switch {
		case n.again:
			n.follow()
		case behind:
			n.after(1000, n.follow)
		}
	})
}

// serving is what a node serves, in a form that can be compared.
type serving [len(environmentNames)]half.Serving

func (n *node) serves() (s serving) {
	for _, of := range n.half.Serves() {
		for i, name := range environmentNames {
			if of.Environment == name {
				s[i] = of
			}
		}
	}
	return s
}

// reportSoon lets the leader see what this node serves.
func (n *node) reportSoon() {
	n.news++
	n.w.kickLeader()
}

// hear is a question that arrived; answer may never be called.
func (n *node) hear(ask ask, answer func(half *pb.StageResponse, verified *pb.VerifyResponse)) {
	n.await(func() bool { return n.half != nil && n.applied >= ask.index }, func() {
		if ask.Verify != nil {
			n.verify(ask.Verify, func(r *pb.VerifyResponse) { answer(nil, r) })
			return
		}
		n.run(func() { n.stage(ask.Stage, func(r *pb.StageResponse) { answer(r, nil) }) })
	})
}

// stage lets the node half stage; who asks while it does waits for the same answer.
func (n *node) stage(request *pb.StageRequest, answer func(*pb.StageResponse)) {
	staging, err := n.half.BeginStaging(n.w.ctx, n.state, request)
	n.w.task.survive()
	if err != nil {
		return
	}
	n.await(func() bool { return closed(staging.Done()) }, func() {
		response, err := staging.Answer()
		if err != nil {
			return
		}
		n.w.say("%s staged operation %d: %t", n.id, request.GetOperation(), response.GetAccepted())
		answer(response)
	})
	n.wake()
	if n.w.harm(dieChance, "death after staging") {
		n.die("after staging")
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// verify waits, within bounds, for the activation in question, and probes it.
func (n *node) verify(request *pb.VerifyRequest, answer func(*pb.VerifyResponse)) {
	until := n.w.now + serveWait
	n.after(serveWait, n.wake)
	n.await(func() bool { return n.half.Reached(request) || n.w.now >= until }, func() {
		if response, err := n.half.Probe(n.w.ctx, request); err == nil {
			answer(response)
		}
	})
}
