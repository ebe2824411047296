package leader

import (
	"context"
	"fmt"
	"slices"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// askTimeout bounds one question; the operation's deadline bounds them all.
const askTimeout = 20 * time.Second

// maxSkew is how far this clock may be from the voters' median.
const maxSkew = 5 * time.Second

func (q Question) key() string {
	return fmt.Sprintf("ask/%s/%d/%s/%t", q.Environment, q.Operation, q.Node, q.Verify)
}

// question asks a node. No answer is not a no: it is asked again until the deadline.
func (t *tenure) question(ctx context.Context, q Question) func() {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := t.ask(ctx, q)
	if err == nil && answer.Incarnation != t.incarnation(q.Node) {
		err = errUnanswered // another data directory, not on record yet: it would be asked again at once
	}
	if err != nil {
		t.Logger.DebugContext(ctx, msgNodeSilent, "node", q.Node, "environment", q.Environment, "error", err)
		return nil
	}
	return func() { t.answers[q] = answer }
}

// incarnation is the data directory that the replicated state knows a node by.
func (t *tenure) incarnation(node string) string {
	if n := t.Store.State().Node(node); n != nil {
		return n.Incarnation
	}
	return ""
}

func (t *tenure) ask(ctx context.Context, q Question) (Answer, error) {
	state := t.Store.State()
	env := state.Environment(q.Environment)
	if env == nil || env.Operation == nil || env.Operation.ID != q.Operation {
		return Answer{}, errUnanswered
	}
	op := env.Operation
	node, err := t.Nodes.Node(q.Node)
	if err != nil {
		return Answer{}, err
	}
	if q.Verify {
		r, err := node.Verify(ctx, &pb.VerifyRequest{
			Environment: q.Environment, ActivationIndex: op.ActivationIndex, Digest: op.Digest, Index: state.Index(),
		})
		if err != nil {
			return Answer{}, err
		}
		if !r.GetServed() && !r.GetFailed() {
			return Answer{}, errUnanswered
		}
		return Answer{Incarnation: r.GetIncarnation(), Accepted: !r.GetFailed(), Problems: r.GetProblems()}, nil
	}
	r, err := node.Stage(ctx, &pb.StageRequest{
		Environment: q.Environment, DeploymentId: op.TargetID, Digest: op.Digest, Operation: op.ID, Index: state.Index(),
	})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Incarnation: r.GetIncarnation(), Accepted: r.GetAccepted(), Problems: r.GetProblems(), Services: r.GetServices()}, nil
}

// watch keeps one goroutine for each member that asks for its status.
func (t *tenure) watch(ctx context.Context, members []string) {
	for id, stop := range t.watched {
		if !slices.Contains(members, id) {
			stop()
			delete(t.watched, id)
			delete(t.peers, id)
		}
	}
	for _, id := range members {
		if t.watched[id] != nil {
			continue
		}
		watchCtx, stop := context.WithCancel(ctx)
		t.watched[id] = stop
		t.workers.Go(func() { t.watchNode(watchCtx, id) })
	}
}

func (t *tenure) watchNode(ctx context.Context, id string) {
	for {
		if status, err := t.status(ctx, id); err == nil {
			t.post(ctx, func() {
				peer := t.peers[id]
				peer.Status, peer.heard = status, t.Now()
				t.peers[id] = peer
			})
		}
		if !pause(ctx, statusInterval) {
			return
		}
	}
}

func (t *tenure) status(ctx context.Context, id string) (*pb.GetNodeStatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, statusInterval)
	defer cancel()
	node, err := t.Nodes.Node(id)
	if err != nil {
		return nil, err
	}
	known := ""
	if settings := t.Store.State().Settings(); settings != nil {
		known = settings.FileDigest
	}
	return node.GetNodeStatus(ctx, &pb.GetNodeStatusRequest{SettingsDigest: known})
}

// judgeClock compares this clock with the voters'. A leader whose clock is off
// takes no decision that depends on the time, and says so.
func (t *tenure) judgeClock(voters []string) {
	var skews []time.Duration
	for _, id := range voters {
		if peer := t.peers[id]; peer.Status != nil {
			skews = append(skews, time.UnixMilli(peer.Status.GetNowMs()).Sub(peer.heard))
		}
	}
	trusted := true
	if len(skews) > 0 {
		slices.Sort(skews)
		trusted = skews[len(skews)/2].Abs() <= maxSkew
	}
	if !trusted && t.clockTrusted {
		t.Logger.Error(msgClockUntrust, "skew", skews[len(skews)/2])
	}
	t.clockTrusted = trusted
}
