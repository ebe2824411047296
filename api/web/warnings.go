package web

import (
	"fmt"
	"strings"
	"time"
)

// warnings lists what is wrong with a node and takes nothing from what it serves.
func (v view) warnings(now time.Time) []notice {
	found := []notice{}
	add := func(code, message, remedy string) { found = append(found, notice{code, message, remedy}) }
	b := v.contact.Backups
	switch {
	case b == nil:
	case b.Err != nil:
		add("backup-failed", fmt.Sprintf("the newest scheduled backup to %s failed: %v; %s", b.Directory, b.Err, b.newest()),
			"make the directory writable or bring the quorum back; it is tried again by itself")
	case !b.LastSuccess.IsZero() && now.Sub(b.LastSuccess) > 2*b.Interval:
		add("backup-overdue", fmt.Sprintf("no backup to %s for two intervals; %s", b.Directory, b.newest()),
			"look for what keeps it in this node's log")
	}
	if v.contact.Unwritten != "" {
		add("file-not-written", "a state or approval file cannot be written: "+v.contact.Unwritten,
			"give this node's user room and permission below GitOps.StateDirectory and GitOps.ApprovalDirectory; it is tried again by itself")
	}
	switch keys := strings.Join(v.contact.DifferingSettings, ", "); {
	case keys == "":
	case v.contact.Overruled:
		add("settings-overruled", "`honua settings apply` has overruled this node's settings file in "+keys,
			"change the file too; a restart with another change in it would bring the rest back")
	default:
		add("settings-differ", "this node's settings file differs from what is in force in "+keys,
			"make the nodes' files equal and restart this one, or put them in force with honua settings apply")
	}
	return found
}

func (b *Backups) newest() string {
	if b.LastSuccess.IsZero() {
		return "there is none yet"
	}
	return "the newest is of " + b.LastSuccess.UTC().Format(time.RFC3339)
}

// waiting lists what keeps new commits of an environment from being deployed.
func (e environmentView) waiting() []notice {
	found := []notice{}
	add := func(code, message, remedy string) { found = append(found, notice{code, message, remedy}) }
	if e.pause != nil {
		add("paused", fmt.Sprintf("environment %s is paused by %s since %s: %s", e.name, e.pause.Actor, moment(e.pause.Since).Format(time.RFC3339), e.pause.Reason),
			fmt.Sprintf("honua environment resume %s, or --all", e.name))
	}
	if e.held != "" {
		add("held", fmt.Sprintf("the newest commit of environment %s is held: %s", e.name, e.held),
			fmt.Sprintf("honua environment show %[1]s; a new commit, or honua environment sync %[1]s --lift-hold", e.name))
	}
	return found
}
