package web

import (
	"fmt"
	"net/http"
	"time"
)

// readyDocument tells an operator in one look what is wrong and what to do.
type readyDocument struct {
	Status       status   `json:"status"`
	Ready        bool     `json:"ready"`
	NodeID       string   `json:"nodeId"`
	LeaderID     string   `json:"leaderId"`
	AppliedIndex uint64   `json:"appliedIndex"`
	Reasons      []notice `json:"reasons"`
	// Warnings are what is wrong with the node and takes nothing from what it serves.
	Warnings     []notice           `json:"warnings"`
	Environments []readyEnvironment `json:"environments"`
}

type readyEnvironment struct {
	Name         string   `json:"name"`
	ServedIndex  uint64   `json:"servedIndex"`
	ServedDigest string   `json:"servedDigest"`
	ActiveIndex  uint64   `json:"activeIndex"`
	ActiveDigest string   `json:"activeDigest"`
	Stale        []notice `json:"stale"`
	// Waiting is what keeps new commits from being deployed; somebody or something decided so.
	Waiting   []notice   `json:"waiting"`
	LastPoll  *time.Time `json:"lastPoll"`
	NextPoll  *time.Time `json:"nextPoll"`
	PollError string     `json:"pollError,omitempty"`
}

// ready answers 200 while the node serves an activated digest of every
// environment that has one, and has not halted. What it serves may be stale:
// then it says so, in the body and in StaleHeader.
func (h *Health) ready(w http.ResponseWriter, _ *http.Request) {
	document, stale := readiness(look(h.node), h.now())
	if h.stopping.Load() {
		document.Ready, document.Status = false, unhealthy
		document.Reasons = append(document.Reasons, notice{"stopping", "this node is stopping", "send requests to the other nodes; it is ready again once it was started"})
	}
	if stale != "" {
		w.Header().Set(StaleHeader, stale)
	}
	answer(w, codeOf(document.Status), document)
}

// readiness judges a view; it also returns the value of StaleHeader.
func readiness(v view, now time.Time) (document readyDocument, stale string) {
	document = readyDocument{
		NodeID: v.contact.NodeID, LeaderID: v.contact.LeaderID, AppliedIndex: v.contact.AppliedIndex,
		Reasons: v.notReady(), Warnings: v.warnings(now), Environments: []readyEnvironment{},
	}
	all := v.staleNode()
	for _, e := range v.environments {
		found := v.stale(e, now)
		all = append(all, found...)
		document.Environments = append(document.Environments, readyOf(e, found))
	}
	document.Ready = len(document.Reasons) == 0
	switch {
	case !document.Ready:
		document.Status = unhealthy
	case len(all) > 0 || len(document.Warnings) > 0:
		document.Status = degraded
	}
	return document, staleCodes(all)
}

// notReady lists why the node should get no requests; none if it should.
func (v view) notReady() []notice {
	reasons := []notice{}
	add := func(code, message, remedy string) { reasons = append(reasons, notice{code, message, remedy}) }
	if v.contact.Halted != nil {
		reasons = append(reasons, v.halted())
	}
	serving := 0
	for _, e := range v.environments {
		switch {
		case e.serves():
			serving++
		case e.active != nil:
			add("not-serving", fmt.Sprintf("environment %s: activation %d is not served by this node yet", e.name, e.active.Index),
				"wait until the node has built it; its log says what holds it back")
		}
	}
	if serving > 0 || len(reasons) > 0 {
		return reasons
	}
	if waiting := v.staleNode(); len(waiting) > 0 {
		return append(waiting, notice{"nothing-served", "this node serves nothing", "it will, once it has learned what is active"})
	}
	for _, e := range v.environments {
		if e.pollError != "" {
			add(staleGit, fmt.Sprintf("environment %s: the repository cannot be read: %s", e.name, e.pollError),
				"check the repository, its credentials and the network; polling goes on by itself")
		}
	}
	add("nothing-activated", "no configuration has been activated in this cluster yet",
		"commit one to the watched branch; `honua deployment list` shows whether one failed or awaits approval")
	return reasons
}

func readyOf(e environmentView, stale []notice) readyEnvironment {
	r := readyEnvironment{
		Name: e.name, Waiting: e.waiting(), ServedIndex: e.served.Index, ServedDigest: e.served.Digest, Stale: stale,
		LastPoll: present(e.lastPoll), NextPoll: present(e.nextPoll), PollError: e.pollError,
	}
	if r.Stale == nil {
		r.Stale = []notice{}
	}
	if e.active != nil {
		r.ActiveIndex, r.ActiveDigest = e.active.Index, e.active.Digest
	}
	return r
}

// present is a time for JSON, in whole seconds; never is null.
func present(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.Truncate(time.Second)
	return &t
}
