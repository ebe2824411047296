package main

import (
	"context"
	"time"

	"github.com/honua-io/honua-gitops/api/web"
	"github.com/honua-io/honua-gitops/cluster/backup"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// openBackups prepares the scheduled backups of this node, if there are to be any.
func (a *app) openBackups(context.Context) (err error) {
	c := a.config.Backup
	if c.Directory == "" {
		return nil
	}
	a.backups, err = backup.New(backup.Config{
		Directory: c.Directory, Interval: c.Interval, Keep: int(c.Keep),
		ClusterName: a.config.Cluster.Name, NodeID: a.config.Cluster.NodeID,
		Read: func(ctx context.Context) (*fsm.State, error) { return a.cluster.Linearize(ctx) },
		Now:  time.Now, Logger: a.component("backup"),
	})
	return err
}

// runBackups saves until the context ends; nothing where no backups are configured.
func (a *app) runBackups(ctx context.Context) error {
	if a.backups == nil {
		return nil
	}
	return a.backups.Run(ctx)
}

// backupStatus is what this node says of its backups; nil if there are none.
func (a *app) backupStatus() *pb.BackupStatus {
	if a.backups == nil {
		return nil
	}
	s := a.backups.Status()
	status := &pb.BackupStatus{Directory: s.Directory, IntervalMs: s.Interval.Milliseconds()}
	if !s.LastSuccess.IsZero() {
		status.LastSuccessMs = s.LastSuccess.UnixMilli()
	}
	if s.Err != nil {
		status.Error = s.Err.Error()
	}
	return status
}

// webBackups is the same for health and metrics.
func (a *app) webBackups() *web.Backups {
	if a.backups == nil {
		return nil
	}
	s := a.backups.Status()
	return &web.Backups{
		Directory: s.Directory, Interval: s.Interval, LastSuccess: s.LastSuccess, Err: s.Err,
		Saved: s.Saved, Failed: s.Failed, Size: s.Size,
	}
}
