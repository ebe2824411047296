//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/harness"
)

// kill ends nodes with SIGKILL, and starts them again when the fault is over.
func (d *Doer) kill(ctx context.Context, a *history.Applied) error {
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
	var all sync.WaitGroup
	for _, i := range victims {
		all.Go(d.Cluster.Nodes[i].Kill)
	}
	all.Wait()
	lasting(ctx, a)
	for _, i := range victims {
		d.Cluster.Nodes[i].Start()
	}
	return nil
}

const (
	// leaderWithin is how long a new leader is waited for, reigns how long it may lead at most before it is killed.
	leaderWithin = 6 * time.Second
	reigns       = 800 * time.Millisecond
)

// behead waits for a leader that none was killed for yet, lets it lead for a moment, and kills it.
func (d *Doer) behead(ctx context.Context, a *history.Applied) error {
	var victim int
	if err := harness.Await(ctx, leaderWithin, func() (err error) {
		victim, err = d.chooseNewLeader(a)
		return err
	}); err != nil {
		return err
	}
	defer d.release(victim)
	n := d.Cluster.Nodes[victim]
	harness.Pause(ctx, time.Duration(rand.New(rand.NewPCG(a.Seed, 0)).Int64N(int64(reigns))))
	n.Kill()
	lasting(ctx, a)
	n.Start()
	return nil
}

// chooseNewLeader holds the leader, if no fault of this kind was done to it yet.
func (d *Doer) chooseNewLeader(a *history.Applied) (int, error) {
	leader, term := d.Leader()
	d.mu.Lock()
	defer d.mu.Unlock()
	if leader < 0 || term <= d.beheaded || d.held[leader] || !d.Cluster.Nodes[leader].Running() {
		return 0, ErrNobody
	}
	d.beheaded = term
	d.hold(leader, a)
	return leader, nil
}

// pause stops a process and continues it: to itself no time has passed.
func (d *Doer) pause(ctx context.Context, a *history.Applied) error {
	i, err := d.choose(a)
	if err != nil {
		return err
	}
	defer d.release(i)
	n := d.Cluster.Nodes[i]
	if err := n.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stopping %s: %w", n.ID, err)
	}
	lasting(ctx, a)
	if err := n.Signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("continuing %s: %w", n.ID, err)
	}
	return nil
}

// restart ends nodes in order and starts each again before the next one's turn.
func (d *Doer) restart(ctx context.Context, a *history.Applied) error {
	first, err := d.choose(a)
	if err != nil {
		return err
	}
	turns := []int{first}
	if a.Variant == "rolling" {
		for offset := 1; offset < len(d.Cluster.Nodes); offset++ {
			turns = append(turns, (first+offset)%len(d.Cluster.Nodes))
		}
	}
	for turn, i := range turns {
		if turn > 0 && !d.takeRunning(i, a) {
			continue
		}
		n := d.Cluster.Nodes[i]
		err := n.End(syscall.SIGTERM)
		lasting(ctx, a)
		n.Start()
		d.release(i)
		if err != nil && !unready(err) {
			return fmt.Errorf("%s did not end in order: %w", n.ID, err)
		}
	}
	return nil
}

// unready reports whether a process was ended by SIGTERM itself: it had only begun, and did not listen to it yet.
func unready(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

// takeRunning holds a node that runs and that nobody holds.
func (d *Doer) takeRunning(i int, a *history.Applied) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held[i] || !d.Cluster.Nodes[i].Running() {
		return false
	}
	d.hold(i, a)
	return true
}
