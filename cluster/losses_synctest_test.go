package cluster

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/memnet"
)

var (
	losses     = flag.Int("losses", 250, "how many leaders TestLeaderLosses loses")
	lossesFrom = flag.Uint64("losses-from", 1, "the first seed of TestLeaderLosses")
)

// lossesPerRun is how many leaders one cluster loses.
const lossesPerRun = 50

// Clusters of three and five lose one leader after the other, to deaths, cuts,
// blackouts, failing and slow disks, and in order, in all weathers. What was acknowledged is
// there once (I3), reads see it (I8) and never go back (I9), commands commit
// while a majority is there (I14), one leader has a term (I15), and equal indexes
// have equal hashes (I11). The seed decides about the faults; what goroutines do
// in between is the scheduler's.
func TestLeaderLosses(t *testing.T) {
	var acknowledged, doubtful, lost atomic.Int64
	t.Run("runs", func(t *testing.T) {
		for i := range uint64((*losses + lossesPerRun - 1) / lossesPerRun) {
			seed := *lossesFrom + i
			t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
				bubble(t, func(l *lab) {
					r := newLossRun(l, seed)
					r.play(min(lossesPerRun, *losses-int(i)*lossesPerRun))
					acknowledged.Add(int64(len(r.acknowledged)))
					doubtful.Add(int64(r.doubtful))
					lost.Add(int64(r.lost))
				})
			})
		}
	})
	t.Logf("leaders lost: %d, writes acknowledged: %d, with an attempt of unknown outcome: %d, none lost, none twice", lost.Load(),
		acknowledged.Load(), doubtful.Load())
}

// A disk that says that it has what it has not loses what was acknowledged, or a
// vote, and the checks of TestLeaderLosses find it.
func TestLeaderLossesFindALyingDisk(t *testing.T) {
	var found atomic.Int64
	t.Run("runs", func(t *testing.T) {
		for seed := uint64(1); seed <= 4; seed++ {
			t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
				bubble(t, func(l *lab) {
					r := newLossRun(l, seed)
					r.planted = true
					for _, m := range r.machines {
						m.disk.lies = true
					}
					r.play(20)
					if r.broken != "" {
						t.Log(r.broken)
						found.Add(1)
					}
				})
			})
		}
	})
	if found.Load() == 0 {
		t.Error("not found")
	}
}

// lossRun is one cluster that loses leaders, and what its clients know.
type lossRun struct {
	*lab
	random   *rand.Rand
	machines []*machine
	clients
	lost    int
	planted bool
}

func newLossRun(l *lab, seed uint64) *lossRun {
	r := &lossRun{lab: l, random: rand.New(rand.NewPCG(seed, 7))}
	count := 3
	if seed%4 == 0 {
		count = 5
	}
	r.clients.begin(l, seed)
	var join []string
	for i := range count {
		join = append(join, memnet.Addr(fmt.Sprintf("10.0.0.%d", len(l.all)+i+1), 7702))
	}
	for i := range count {
		m := l.machine(fmt.Sprintf("s%d-%d", seed, i), func(c *Config) {
			c.BootstrapExpect, c.Join, c.ClusterName = count, join, fmt.Sprint("seed-", seed)
			c.SnapshotThreshold, c.TrailingLogs, c.SnapshotInterval = 40, 10, 2*time.Second
		})
		m.disk = newFrailDisk(rand.New(rand.NewPCG(seed, uint64(i))))
		r.machines = append(r.machines, m)
	}
	return r
}

func (r *lossRun) play(count int) {
	for _, m := range r.machines {
		r.begin(m)
	}
	r.ready()
	r.work()
	for range count {
		if r.failed() {
			break
		}
		r.changeWeather()
		time.Sleep(time.Duration(50+r.random.IntN(300)) * time.Millisecond)
		r.loseLeader()
	}
	r.net.SetWeather(memnet.Weather{})
	r.net.Heal()
	r.ready()
	r.rest()
	r.verify()
}

// await waits for something that has to come true; if it does not, a promise is broken.
func (r *lossRun) await(limit time.Duration, what string, holds func() bool) {
	for start := time.Now(); !holds() && !r.failed(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > limit {
			r.report("not within %s: %s", limit, what)
		}
	}
}

// ready waits until everybody has caught up with a leader.
func (r *lossRun) ready() {
	r.await(30*time.Second, "I14: all are back", func() bool {
		for _, m := range r.machines {
			record := m.node.Store().State().Node(m.cfg.NodeID)
			if !m.node.Status().CaughtUp || record == nil || record.Incarnation != m.node.Incarnation() {
				return false
			}
		}
		return r.leader() != nil
	})
}

// begin starts a machine and lets the clients use it.
func (r *lossRun) begin(m *machine) {
	m.start()
	r.use(m.node)
}

// end takes a machine away, in order or not.
func (r *lossRun) end(m *machine, orderly bool) {
	if orderly {
		_ = m.stop()
		r.drop(m.node)
		return
	}
	r.silence(m)
	m.disk.crash()
	m.kill()
}

// silence keeps the world from hearing anything more of a machine.
func (r *lossRun) silence(m *machine) {
	r.drop(m.node)
	r.net.Down(m.ip)
}

func (r *lossRun) changeWeather() {
	if r.random.IntN(3) > 0 {
		r.net.SetWeather(memnet.Weather{})
		return
	}
	r.net.SetWeather(memnet.Weather{
		Random: rand.New(rand.NewPCG(r.random.Uint64(), 1)), Lag: time.Duration(1+r.random.IntN(8)) * time.Millisecond,
		Reset: 0.002, Loss: 0.05, Repeat: 0.05,
	})
}

// loseLeader takes one leader away and waits until another commits.
func (r *lossRun) loseLeader() {
	leader := r.leader()
	if leader == nil {
		return // it was lost before its turn came, in bad weather
	}
	r.lost++
	switch r.random.IntN(9) {
	case 0, 1, 2:
		r.end(leader, false)
		r.others(leader)
		r.begin(leader)
	case 3:
		r.end(leader, true)
		r.others(leader)
		r.begin(leader)
	case 4:
		leader.disk.fail()
		r.await(20*time.Second, "I14: the disk fails the leader", func() bool { return leader.node.disk.fuse.blown() != nil })
		r.end(leader, false)
		r.others(leader)
		r.begin(leader)
	case 5, 6:
		r.cutOff(leader)
		r.others(leader)
		r.net.Heal()
	case 7:
		leader.disk.delay(time.Duration(20+r.random.IntN(80)) * time.Millisecond)
		if err := leader.node.Transfer(r.t.Context(), nil, ""); err == nil {
			r.others(leader)
		}
		leader.disk.delay(0)
	case 8:
		r.blackout()
	}
	r.ready()
}

// blackout takes the power from all machines at once.
func (r *lossRun) blackout() {
	for _, m := range r.machines {
		r.silence(m)
	}
	for _, m := range r.machines {
		r.end(m, false)
	}
	for _, m := range r.machines {
		r.begin(m)
	}
}

// cutOff leaves the leader alone, or in a cluster of five with one other.
func (r *lossRun) cutOff(leader *machine) {
	company := leader
	if len(r.machines) == 5 && r.random.IntN(2) == 0 {
		company = r.machines[r.random.IntN(len(r.machines))]
	}
	for _, m := range r.machines {
		if m != leader && m != company {
			r.net.Cut(leader.ip, m.ip)
			r.net.Cut(company.ip, m.ip)
		}
	}
}

// others waits until the rest of the cluster commits without the lost leader (I14).
func (r *lossRun) others(lost *machine) {
	var survivors []*machine
	for _, m := range r.machines {
		if m != lost {
			survivors = append(survivors, m)
		}
	}
	r.await(10*time.Second, "I14: the others have a leader of their own", func() bool {
		for _, m := range survivors {
			if m.node.leading.Load() != nil {
				return true
			}
		}
		return false
	})
}
