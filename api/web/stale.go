package web

import (
	"fmt"
	"strings"
	"time"
)

// StaleHeader is the header of an answer that may be out of date. Its value is
// the codes of the reasons, separated by commas.
const StaleHeader = "Honua-Stale"

// The codes of why what a node serves may be out of date.
const (
	staleHalted     = "halted"
	staleDisk       = "disk-hangs"
	staleCatchingUp = "catching-up"
	staleNoLeader   = "no-leader"
	staleBehind     = "behind"
	staleGit        = "git-unavailable"
	staleNotPolled  = "not-polled"
)

// notice is a finding in words, and what to do about it.
type notice struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// stale lists why what the node serves of an environment may be out of date.
func (v view) stale(e environmentView, now time.Time) []notice {
	found := v.staleNode()
	add := func(code, remedy, format string, args ...any) {
		found = append(found, notice{Code: code, Message: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if e.serves() && e.behind() {
		add(staleBehind, "wait for the node to catch up; its log says what holds it back",
			"this node serves activation %d, the newest is %d", e.served.Index, e.active.Index)
	}
	switch {
	case e.pollError != "":
		add(staleGit, "check the repository, its credentials and the network; polling goes on by itself",
			"the last poll failed: %s", e.pollError)
	case v.initialised && !e.lastPoll.IsZero() && now.Sub(e.lastPoll) > v.patience():
		add(staleNotPolled, "see `honua status` for the leader, and its log for what keeps it from polling",
			"the last successful poll was at %s", e.lastPoll.Format(time.RFC3339))
	}
	return found
}

// staleNode lists what concerns all environments of the node alike.
func (v view) staleNode() []notice {
	switch {
	case v.contact.Halted != nil:
		return []notice{v.halted()}
	case v.contact.Writing > hangsAfter:
		return []notice{{
			staleDisk, fmt.Sprintf("a write to this node's log has taken %s: its disk hangs", v.contact.Writing.Round(time.Second)),
			"find out what ails the disk; the other nodes go on, and stopping this one costs nothing more",
		}}
	case !v.connected():
		return []notice{{
			staleNoLeader, "no leader is in contact with a majority: nothing new is deployed",
			"bring a majority of the nodes back, and check the network between them",
		}}
	case !v.contact.CaughtUp:
		return []notice{{staleCatchingUp, "this node is reading what it missed", "wait; it ends by itself"}}
	}
	return nil
}

func (v view) halted() notice {
	return notice{
		staleHalted, "this node applies nothing any more: " + v.contact.Halted.Error(),
		"repair it as its log says; the other nodes go on",
	}
}

// hangsAfter is how long a write to the log may take.
const hangsAfter = 2 * time.Second

// patience is how long no successful poll is nothing to worry about.
func (v view) patience() time.Duration { return 3 * v.pollInterval }

// staleCodes is the value of the header; empty if nothing is stale.
func staleCodes(notices []notice) string {
	var codes []string
	seen := map[string]bool{}
	for _, n := range notices {
		if !seen[n.Code] {
			seen[n.Code] = true
			codes = append(codes, n.Code)
		}
	}
	return strings.Join(codes, ", ")
}
