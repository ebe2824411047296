//go:build linux

// Package faults does to a cluster what a schedule says, one to three things at a time, and undoes all of it.
package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/cell"
	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
	"github.com/honua-io/honua-gitops/test/gitserver"
	"github.com/honua-io/honua-gitops/test/harness"
)

// ErrNobody says that there was nobody to do a fault to: each node was down or held by another fault.
var ErrNobody = errors.New("every node is down or being done something to")

// Rewriter replaces the newest commits of the branch by another one.
type Rewriter interface {
	Rewrite(random *rand.Rand) string
}

// Config is what faults are done to.
type Config struct {
	Cluster    *harness.Cluster
	Network    *cell.Network
	Git        *gitserver.Server
	Repository Rewriter
	// Leader returns the index of the node that leads, or -1, and its term.
	Leader func() (index int, term uint64)
	// Disks are the nodes' file systems; empty if nothing is done to them.
	Disks Disks
	// WebhookSecret signs deliveries.
	WebhookSecret string
	Applied       *history.Writer
	Begun         time.Time
}

// Doer does faults.
type Doer struct {
	Config
	wires *wires

	mu sync.Mutex
	// held are the nodes whose process a fault does something to.
	held map[int]bool
	// beheaded is the newest term whose leader was killed for leading.
	beheaded uint64
	git      bool
	errs     []error
}

// New prepares for doing faults.
func New(c Config) *Doer {
	return &Doer{Config: c, held: map[int]bool{}, wires: newWires(c.Network)}
}

// Run does the faults of a schedule, each in its time, and returns when the last one is undone. When the context ends,
// what is under way is undone at once.
func (d *Doer) Run(ctx context.Context, faults []plan.Fault) error {
	var all sync.WaitGroup
	for _, fault := range faults {
		all.Go(func() {
			if !harness.Pause(ctx, time.Until(d.Begun.Add(fault.At))) {
				return
			}
			applied := history.Applied{Fault: fault, From: time.Since(d.Begun)}
			var err error
			if end := harness.Protect(func() { err = d.do(ctx, &applied) }); end != nil {
				err = end
			}
			applied.To = time.Since(d.Begun)
			switch {
			case errors.Is(err, ErrNobody):
				applied.Note = err.Error()
			case err != nil:
				applied.Note = err.Error()
				d.failed(fmt.Errorf("fault %d, %s %s: %w", fault.Number, fault.Kind, fault.Variant, err))
			}
			d.Applied.Write(applied)
		})
	}
	all.Wait()
	return errors.Join(d.errs...)
}

func (d *Doer) failed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.errs = append(d.errs, err)
}

func (d *Doer) do(ctx context.Context, a *history.Applied) error {
	switch a.Kind {
	case plan.Kill:
		return d.kill(ctx, a)
	case plan.Leader:
		return d.behead(ctx, a)
	case plan.Pause:
		return d.pause(ctx, a)
	case plan.Restart:
		return d.restart(ctx, a)
	case plan.Partition, plan.Loss, plan.Delay:
		return d.disturb(ctx, a)
	case plan.Window:
		return d.window(ctx, a)
	case plan.Power:
		return d.cut(ctx, a)
	case plan.Disk:
		return d.wear(ctx, a)
	case plan.Clock:
		return d.misset(ctx, a)
	case plan.Git:
		return d.mislead(ctx, a)
	case plan.Webhook:
		return d.storm(ctx, a)
	default:
		return fmt.Errorf("%s cannot be done here", a.Kind)
	}
}

// lasting waits until a fault is over.
func lasting(ctx context.Context, a *history.Applied) { harness.Pause(ctx, a.For) }

// choose returns the node that a fault is to hit, running and not held, and holds it.
func (d *Doer) choose(a *history.Applied) (int, error) {
	first := a.Node
	if a.Leader {
		if leader, _ := d.Leader(); leader >= 0 {
			first = leader
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for offset := range d.Cluster.Nodes {
		i := (first + offset) % len(d.Cluster.Nodes)
		if !d.held[i] && d.Cluster.Nodes[i].Running() {
			d.hold(i, a)
			return i, nil
		}
	}
	return 0, ErrNobody
}

func (d *Doer) hold(i int, a *history.Applied) {
	d.held[i] = true
	if leader, term := d.Leader(); leader == i {
		a.Term = term
	}
	a.Hit, a.Done = append(a.Hit, d.Cluster.Nodes[i].ID), true
}

// chooseAll holds every node that can be.
func (d *Doer) chooseAll(a *history.Applied) (all []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, n := range d.Cluster.Nodes {
		if !d.held[i] && n.Running() {
			d.hold(i, a)
			all = append(all, i)
		}
	}
	return all
}

func (d *Doer) release(nodes ...int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, i := range nodes {
		delete(d.held, i)
	}
}

// Supervise starts nodes again that ended by themselves, as an operator's service manager does, and notes that they
// did, until the context ends.
func (d *Doer) Supervise(ctx context.Context) error {
	var errs []error
	for harness.Pause(ctx, 100*time.Millisecond) {
		for i, n := range d.Cluster.Nodes {
			if n.Running() || !d.take(i) {
				continue
			}
			now := time.Since(d.Begun)
			d.Applied.Write(history.Applied{
				Fault: plan.Fault{Number: -1, Kind: Exit, Node: i}, Hit: []string{n.ID}, Done: true, From: now, To: now,
			})
			errs = append(errs, harness.Protect(n.Start))
			d.release(i)
		}
	}
	return errors.Join(errs...)
}

// Exit is a node that ended by itself, and was started again.
const Exit plan.Kind = "exit"

// take holds a node that is down and that nobody holds.
func (d *Doer) take(i int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held[i] || d.Cluster.Nodes[i].Running() {
		return false
	}
	d.held[i] = true
	return true
}

func ids(c *harness.Cluster, nodes []int) []string {
	var names []string
	for _, i := range nodes {
		names = append(names, c.Nodes[i].ID)
	}
	slices.Sort(names)
	return names
}
