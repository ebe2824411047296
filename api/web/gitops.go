package web

import (
	"net/http"
	"time"
)

// gitopsDocument is what the runbook's health check reads; nothing is added to it.
type gitopsDocument struct {
	Status             status           `json:"status"`
	Components         gitopsComponents `json:"components"`
	LastReconciliation *time.Time       `json:"lastReconciliation"`
	NextPoll           *time.Time       `json:"nextPoll"`
}

type gitopsComponents struct {
	GitWatcher           status `json:"GitWatcher"`
	GitRepository        status `json:"GitRepository"`
	DeploymentStateStore status `json:"DeploymentStateStore"`
}

// gitops answers 200 unless a component is Unhealthy.
func (h *Health) gitops(w http.ResponseWriter, _ *http.Request) {
	document := gitopsHealth(look(h.node), h.now())
	answer(w, codeOf(document.Status), document)
}

// longFailure is how long a repository has to fail before it is Unhealthy, if
// ten poll intervals are less.
const longFailure = 10 * time.Minute

// gitopsHealth judges a view by these rules; each component is as bad as its
// worst environment, and the whole as its worst component.
//
//	component              Degraded                             Unhealthy
//	GitWatcher             no leader; no poll yet; none that    the next poll is overdue by three
//	                       succeeded for three intervals        intervals, at least a minute
//	GitRepository          the last poll failed                 it fails for ten intervals, at least ten
//	                                                            minutes; no poll ever succeeded
//	DeploymentStateStore   no leader; catching up; the          the node halted
//	                       cluster has no settings yet
func gitopsHealth(v view, now time.Time) gitopsDocument {
	d := gitopsDocument{Components: gitopsComponents{DeploymentStateStore: v.store()}}
	c := &d.Components
	if !v.connected() {
		c.GitWatcher = degraded
	}
	var last, next time.Time
	for _, e := range v.environments {
		c.GitWatcher = max(c.GitWatcher, v.watcher(e, now))
		c.GitRepository = max(c.GitRepository, v.repository(e, now))
		if e.lastPoll.After(last) {
			last = e.lastPoll
		}
		if next.IsZero() || !e.nextPoll.IsZero() && e.nextPoll.Before(next) {
			next = e.nextPoll
		}
	}
	if last.IsZero() {
		c.GitWatcher = max(c.GitWatcher, degraded)
	}
	d.Status = max(c.GitWatcher, c.GitRepository, c.DeploymentStateStore)
	d.LastReconciliation, d.NextPoll = present(last), present(next)
	return d
}

// connected reports whether a leader is in contact with a majority.
func (v view) connected() bool { return v.contact.LeaderID != "" && v.contact.HasQuorum }

// watcher judges whether somebody polls for an environment.
func (v view) watcher(e environmentView, now time.Time) status {
	switch {
	case !e.nextPoll.IsZero() && now.Sub(e.nextPoll) > max(v.patience(), time.Minute):
		return unhealthy
	case e.lastPoll.IsZero() || now.Sub(e.lastPoll) > v.patience():
		return degraded
	}
	return healthy
}

// repository judges whether polls succeed.
func (v view) repository(e environmentView, now time.Time) status {
	switch {
	case e.pollError == "":
		return healthy
	case e.lastPoll.IsZero() || now.Sub(e.lastPoll) > max(10*v.pollInterval, longFailure):
		return unhealthy
	}
	return degraded
}

// store judges the replicated state as this node has it.
func (v view) store() status {
	switch {
	case v.contact.Halted != nil:
		return unhealthy
	case !v.connected() || !v.contact.CaughtUp || !v.initialised:
		return degraded
	}
	return healthy
}
