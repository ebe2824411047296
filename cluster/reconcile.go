package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

const (
	reconcileInterval = time.Second
	// keepsUp is how many entries a learner may lack: what a leader under load
	// writes between two heartbeats.
	keepsUp = 512
	// leaveGrace: a node that left gossip and still answers is not gone.
	leaveGrace = 2 * time.Second
)

// learners is since when each non-voter has kept up, in this term.
type learners map[raft.ServerID]time.Time

// reconcile makes the configuration what gossip and the record say, over and
// over: it promotes learners, drops non-voters that are gone, and forgets who
// is in no configuration. Voters are removed by operators only.
func (n *Node) reconcile(ctx context.Context, term Term) {
	ticker := time.NewTicker(min(reconcileInterval, n.cfg.PromotionDelay))
	defer ticker.Stop()
	since := learners{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := n.reconcileOnce(ctx, term, since); err != nil && ctx.Err() == nil {
			n.log.Warn("membership not reconciled", "term", term.Number, "error", err)
		}
	}
}

func (n *Node) reconcileOnce(ctx context.Context, term Term, since learners) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	lead, err := n.established()
	if err != nil || lead.number != term.Number {
		return err
	}
	present := map[string]bool{}
	for _, s := range n.configuration() {
		present[string(s.ID)] = true
		if s.Suffrage == raft.Voter {
			delete(since, s.ID)
			continue
		}
		if err := n.reconcileNonvoter(ctx, lead, s, since); err != nil {
			return err
		}
	}
	for record := range n.store.State().Nodes() {
		if present[record.ID] {
			continue
		}
		if err := n.forget(ctx, lead.number, record.ID, "not in the configuration"); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) reconcileNonvoter(ctx context.Context, lead *leadership, s raft.Server, since learners) error {
	if n.gone(lead, string(s.ID)) {
		delete(since, s.ID)
		_, err := n.dropServer(ctx, lead, s.ID)
		return err
	}
	record := n.store.State().Node(string(s.ID))
	contact := n.contacts.get(s.ID)
	if record == nil || !record.Voter || !n.inContact(string(s.ID)) || contact.lastLog+keepsUp < lead.raft.LastIndex() {
		delete(since, s.ID)
		return nil
	}
	if since[s.ID].IsZero() {
		since[s.ID] = time.Now()
	}
	if time.Since(since[s.ID]) < n.cfg.PromotionDelay {
		return nil
	}
	delete(since, s.ID)
	return n.place(ctx, lead, raft.Server{ID: s.ID, Address: s.Address, Suffrage: raft.Voter})
}

// gone: the non-voter left, or was away for as long as it may be. A new leader
// gives it the whole time again, and so does its coming back: that it had left is
// what gossip may still say of it then.
func (n *Node) gone(lead *leadership, id string) bool {
	silent := time.Since(latest(n.LastContact(id), n.contacts.get(raft.ServerID(id)).came, lead.since))
	if m, ok := n.gossip.get(id); ok && m.Status == MemberLeft {
		return silent > leaveGrace
	}
	return silent > n.cfg.NonvoterExpiry
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}
