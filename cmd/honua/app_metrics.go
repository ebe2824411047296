package main

import (
	"time"

	"github.com/honua-io/honua-gitops/api/web"
)

// measure adds the metrics of the parts that package web does not know.
func (a *app) measure() error {
	if err := a.metrics.Register(web.NewGroupCollector(a.groupNumbers)); err != nil {
		return err
	}
	if a.backups != nil {
		if err := a.metrics.Register(web.NewBackupCollector(a.webBackups)); err != nil {
			return err
		}
	}
	return a.metrics.Register(web.NewMachineCollector(web.Machine{
		Directories: map[string]string{
			"cluster": a.config.Cluster.DataDirectory, "state": a.config.GitOps.StateDirectory, "data": a.config.Registry.DataDirectory,
		},
		Disk: diskOf, Certificates: a.expiries,
	}))
}

func (a *app) groupNumbers() web.Group {
	s := a.cluster.Stats()
	return web.Group{
		Commits: s.Commits, CommitTime: s.CommitTime, CommitBuckets: s.CommitBuckets,
		InFlight: s.InFlight, Refused: s.Refused, Unknown: s.Unknown,
		LogWrites: s.LogWrites, LogWriteTime: s.LogWriteTime,
		LastContact: s.LastContact, PeerContact: s.PeerContact,
		MembersAlive: s.MembersAlive, MembersFailed: s.MembersFailed,
	}
}

// expiries are when the certificates in use expire, by file.
func (a *app) expiries() map[string]time.Time {
	found := map[string]time.Time{}
	for _, opened := range a.tls {
		if at := opened.source.NotAfter(); !at.IsZero() {
			found[opened.file] = at
		}
	}
	return found
}
