//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
	"github.com/honua-io/honua-gitops/test/faults"
	"github.com/honua-io/honua-gitops/test/harness"
)

const (
	// diskSize is that of a node's disk, in megabytes.
	diskSize = 256
	// restoreWithin is how long what a dead node started may hold on to its disk.
	restoreWithin = 20 * time.Second
)

// Disks are the file systems of nodes, by id: each node's data directory is on one of its own.
type Disks map[string]*faults.Disk

// NeedDisks reports whether some of the faults are done to file systems.
func NeedDisks(kinds []plan.Kind) bool {
	for _, kind := range kinds {
		if kind == plan.Disk || kind == plan.Power {
			return true
		}
	}
	return false
}

// dataDirectory is where the harness has a node keep its data.
const dataDirectory = "cluster"

// Add mounts a disk where a node is going to have its data.
func (d Disks) Add(n *harness.Node) error {
	if err := os.MkdirAll(n.Dir, 0o700); err != nil {
		return err
	}
	disk, err := faults.NewDisk(n.Dir, dataDirectory, diskSize)
	if err != nil {
		return err
	}
	d[n.ID] = disk
	return nil
}

// Keep copies what is on the disks to where they were mounted, and ends them. The nodes must not run.
func (d Disks) Keep() error {
	var errs []error
	for _, disk := range d {
		kept := disk.Path + ".kept"
		errs = append(errs, os.CopyFS(kept, os.DirFS(disk.Path)), disk.Close(), os.Remove(disk.Path), os.Rename(kept, disk.Path))
	}
	return errors.Join(errs...)
}

// cut takes what was not flushed from disks, ends their nodes, and starts them on what is left.
func (d *Doer) cut(ctx context.Context, a *history.Applied) error {
	var victims []int
	if a.Variant == "all" {
		victims = d.chooseAll(a)
	} else if i, err := d.choose(a); err == nil {
		victims = []int{i}
	}
	if len(victims) == 0 {
		return ErrNobody
	}
	defer d.release(victims...)
	errs := make([]error, len(victims))
	var all sync.WaitGroup
	for at, i := range victims {
		n := d.Cluster.Nodes[i]
		all.Go(func() {
			errs[at] = d.Disks[n.ID].CutPower()
			n.Kill()
		})
	}
	all.Wait()
	lasting(ctx, a)
	for _, i := range victims {
		n := d.Cluster.Nodes[i]
		err := harness.Await(context.WithoutCancel(ctx), restoreWithin, d.Disks[n.ID].Restore)
		if err != nil {
			return fmt.Errorf("the disk of %s: %w", n.ID, err)
		}
		n.Start()
	}
	return errors.Join(errs...)
}

// wear makes a node's disk slow, full, or fail. A node may end over that, and is started again.
func (d *Doer) wear(ctx context.Context, a *history.Applied) error {
	i, err := d.choose(a)
	if err != nil {
		return err
	}
	defer d.release(i)
	n := d.Cluster.Nodes[i]
	var undo func() error
	if a.Variant == "full" {
		undo = d.Disks[n.ID].MakeRoom
		err = d.Disks[n.ID].Fill()
	} else {
		undo, err = inject(n, a)
	}
	if err != nil {
		if !n.Running() { // it ended before it could be got hold of
			n.Start()
			return nil
		}
		return err
	}
	lasting(ctx, a)
	if err := undo(); err != nil {
		return err
	}
	if !n.Running() {
		a.Note = "the node ended"
		n.Start()
	}
	return nil
}

func inject(n *harness.Node, a *history.Applied) (undo func() error, err error) {
	random := rand.New(rand.NewPCG(a.Seed, 0))
	fault := faults.HangSync("", time.Duration(5+random.IntN(200))*time.Millisecond)
	if a.Variant == "error" {
		fault = faults.FailSync("")
	}
	injection, err := faults.Inject(n.PID(), fault, filepath.Dir(n.LogFile()))
	if err != nil {
		return nil, err
	}
	return injection.Stop, nil
}
