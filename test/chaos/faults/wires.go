//go:build linux

package faults

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/cell"
	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
	"github.com/honua-io/honua-gitops/test/chaos/relay"
)

// wires adds up what several faults do to the network at the same time.
type wires struct {
	network *cell.Network

	mu     sync.Mutex
	losses map[int]map[cell.Way]int
	delays map[int]map[int]relay.Latency
}

func newWires(n *cell.Network) *wires {
	return &wires{network: n, losses: map[int]map[cell.Way]int{}, delays: map[int]map[int]relay.Latency{}}
}

// lose sets what a fault loses; nil ends it. Of two faults on one way the worse one counts.
func (w *wires) lose(ctx context.Context, number int, loss map[cell.Way]int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.losses[number] = loss
	sum := map[cell.Way]int{}
	for _, one := range w.losses {
		for way, percent := range one {
			sum[way] = max(sum[way], percent)
		}
	}
	return w.network.Drop(context.WithoutCancel(ctx), sum)
}

// hold sets what a fault delays; nil ends it. Two faults at one host add up.
func (w *wires) hold(number int, hosts map[int]relay.Latency) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.delays[number]
	w.delays[number] = hosts
	for _, touched := range []map[int]relay.Latency{before, hosts} {
		for host := range touched {
			var sum relay.Latency
			for _, one := range w.delays {
				sum.Base += one[host].Base
				sum.Jitter += one[host].Jitter
			}
			w.network.Hold(host, sum)
		}
	}
}

// disturb partitions, loses or delays for a while.
func (d *Doer) disturb(ctx context.Context, a *history.Applied) error {
	target := a.Node
	if a.Leader {
		if leader, _ := d.Leader(); leader >= 0 {
			target = leader
		}
	}
	a.Hit, a.Done = []string{d.Cluster.Nodes[target].ID}, true
	if a.Kind == plan.Delay {
		d.wires.hold(a.Number, map[int]relay.Latency{target: latency(a.Variant)})
		defer d.wires.hold(a.Number, nil)
		lasting(ctx, a)
		return nil
	}
	if err := d.wires.lose(ctx, a.Number, d.lost(a, target)); err != nil {
		return err
	}
	lasting(ctx, a)
	return d.wires.lose(ctx, a.Number, nil)
}

func latency(variant string) relay.Latency {
	if base, err := time.ParseDuration(variant); err == nil {
		return relay.Latency{Base: base}
	}
	return relay.Latency{Base: 5 * time.Millisecond, Jitter: 300 * time.Millisecond}
}

// lost says what a partition or loss does to which ways.
func (d *Doer) lost(a *history.Applied, target int) map[cell.Way]int {
	count := len(d.Cluster.Nodes)
	loss := map[cell.Way]int{}
	both := func(i, j, percent int) {
		loss[cell.Way{From: i, To: j}], loss[cell.Way{From: j, To: i}] = percent, percent
	}
	percent, err := strconv.Atoi(a.Variant)
	if err != nil {
		percent = 100
	}
	switch a.Variant {
	case "halves": // the target with as many others as leave a majority on the other side
		side := map[int]bool{target: true}
		for _, i := range rand.New(rand.NewPCG(a.Seed, 0)).Perm(count) {
			if len(side) < (count-1)/2 && i != target {
				side[i] = true
			}
		}
		var cut []int
		for i := range count {
			if !side[i] {
				continue
			}
			cut = append(cut, i)
			for j := range count {
				if !side[j] {
					both(i, j, percent)
				}
			}
		}
		a.Hit = ids(d.Cluster, cut)
	case "from git": // and from the clients
		both(target, cell.Hub, percent)
	case "deaf":
		for j := range count {
			loss[cell.Way{From: j, To: target}] = percent
		}
	case "mute":
		for j := range count {
			loss[cell.Way{From: target, To: j}] = percent
		}
	default:
		for j := range count {
			if j != target {
				both(target, j, percent)
			}
		}
	}
	return loss
}
