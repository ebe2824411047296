package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
)

// attention lists what is wrong in a cluster and what to do about it, the worst first.
func attention(o overview) []string {
	lines := []string{}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	switch {
	case !o.Cluster.Founded():
		say("no cluster yet: a new one begins once as many nodes as their Cluster.BootstrapExpect says reach each other, "+
			"an old one admits %s once its leader is reached; what it waits for is in its log", o.Cluster.NodeID)
	case !o.Cluster.Led():
		say("no leader: start nodes until %d voters reach each other; nothing can be changed before. Are so many lost for good? docs/disaster-recovery.md", o.Cluster.Quorum)
	}
	for _, server := range o.Cluster.Servers {
		for _, notice := range server.Notices {
			say("%s: %s", server.ID, notice)
		}
		if !server.Healthy && len(server.Notices) == 0 {
			say("%s is not healthy: look at its log, or ask it: honua health gitops --http-address %s", server.ID, server.HTTPAddress)
		}
	}
	for _, server := range o.Cluster.Servers {
		for _, warning := range server.Warnings {
			say("%s: %s", server.ID, warning)
		}
		if line := backupAttention(server, time.Now()); line != "" {
			lines = append(lines, line)
		}
	}
	lines = append(lines, overruled(o.Cluster)...)
	if line := heldBack(o.Cluster); line != "" {
		lines = append(lines, line)
	}
	if o.Freeze != nil {
		say("all environments are paused%s; to go on: honua environment resume --all", pauseText(*o.Freeze))
	}
	for _, e := range o.Environments {
		lines = append(lines, environmentAttention(e)...)
	}
	return lines
}

// backupAttention says what is wrong with a node's scheduled backups; empty if nothing is.
func backupAttention(server view.Server, now time.Time) string {
	b := server.Backup
	if b == nil {
		return ""
	}
	newest := "there is none yet"
	if b.LastSuccess != nil {
		newest = "the newest is of " + utc(b.LastSuccess)
	}
	switch {
	case b.Error != "":
		return fmt.Sprintf("%s: its backups to %s fail: %s; %s", server.ID, b.Directory, b.Error, newest)
	case b.LastSuccess != nil && now.Sub(b.LastSuccess.Time).Seconds() > 2*b.IntervalSeconds:
		return fmt.Sprintf("%s: no backup to %s for two intervals, %s: look for what keeps it in its log", server.ID, b.Directory, newest)
	}
	return ""
}

// overruled names the nodes whose settings files say something else than what
// `settings apply` put in force, those that differ in the same together.
func overruled(c view.ClusterStatus) []string {
	nodes := map[string][]string{}
	for _, server := range c.Servers {
		if len(server.OverruledKeys) > 0 {
			keys := strings.Join(server.OverruledKeys, ", ")
			nodes[keys] = append(nodes[keys], server.ID)
		}
	}
	var lines []string
	for _, keys := range sortedKeys(nodes) {
		lines = append(lines, fmt.Sprintf("%s: honua settings apply has overruled the settings file in %s: change the file too, before a restart with another change in it brings that back",
			strings.Join(nodes[keys], ", "), keys))
	}
	return lines
}

// heldBack names the nodes that keep a later format from being taken into use; empty if none does.
func heldBack(c view.ClusterStatus) string {
	newest := uint32(0)
	for _, server := range c.Servers {
		newest = max(newest, server.Format)
	}
	var old []string
	for _, server := range c.Servers {
		if server.Format < newest {
			old = append(old, server.ID)
		}
	}
	if len(old) == 0 || newest <= c.Format {
		return ""
	}
	return fmt.Sprintf("format %d is in force; what format %d brings stays off until every node knows it: upgrade %s",
		c.Format, newest, strings.Join(old, ", "))
}

func environmentAttention(e view.Environment) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, e.Name+": "+fmt.Sprintf(format, args...)) }
	if e.PollError != "" {
		say("the repository cannot be read: %s; nodes serve what they have and try again: check it and its credentials, on a node: honua config check --git FILE", e.PollError)
	}
	if e.Health == "Unhealthy" || e.Health == "Degraded" {
		say("%s: %s", e.Health, orElse(e.HealthMessage, "honua environment show "+e.Name))
	}
	if e.Pause != nil {
		say("paused%s; to go on: honua environment resume %s", pauseText(*e.Pause), e.Name)
	}
	if d := e.CurrentDeployment; d != nil && d.State == "Failed" {
		say("%s failed: %s; details: honua deployment show %s", d.ID, d.ErrorMessage, d.ID)
	}
	for _, hold := range e.Holds {
		if hold.Commit == e.LatestCommit {
			say("the newest commit %s is held (%s); fix it with a new commit, or: honua environment sync %s --lift-hold",
				view.Short(hold.Commit), hold.Reason, e.Name)
		}
	}
	return lines
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
