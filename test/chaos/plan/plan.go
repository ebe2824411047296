// Package plan makes a schedule of faults from a seed: the same seed gives the same schedule.
package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what kind of harm a fault does.
type Kind string

// The kinds of faults.
const (
	// Kill ends a node with SIGKILL; it comes back at the fault's end.
	Kill Kind = "kill"
	// Leader kills a leader with SIGKILL that was not killed yet, soon after it began to lead.
	Leader Kind = "leader"
	// Pause stops a node's process with SIGSTOP, and continues it.
	Pause Kind = "pause"
	// Restart ends nodes with SIGTERM, one after the other, and starts each again.
	Restart Kind = "restart"
	// Partition cuts nodes off from each other, or one direction between them.
	Partition Kind = "partition"
	// Loss drops a part of a node's packets.
	Loss Kind = "loss"
	// Delay holds a node's packets back.
	Delay Kind = "delay"
	// Disk makes a node's disk slow, or makes it fail.
	Disk Kind = "disk"
	// Power takes everything from a node's disk that was not flushed, and ends the node.
	Power Kind = "power"
	// Clock makes a node's clock wrong.
	Clock Kind = "clock"
	// Git makes the repository's server fail, lie or hang, or rewrites the branch.
	Git Kind = "git"
	// Webhook sends storms of webhooks, good and forged.
	Webhook Kind = "webhook"
	// Window kills a node exactly in a named window of the code.
	Window Kind = "window"
)

// Kinds are all kinds, in the order in which they are shown.
func Kinds() []Kind {
	return []Kind{Kill, Leader, Pause, Partition, Loss, Delay, Disk, Power, Clock, Git, Restart, Webhook, Window}
}

// ParseKinds reads a comma-separated list; "all" is all of them.
func ParseKinds(list string) ([]Kind, error) {
	if list == "all" {
		return Kinds(), nil
	}
	var kinds []Kind
	for name := range strings.SplitSeq(list, ",") {
		kind := Kind(strings.TrimSpace(name))
		if !slices.Contains(Kinds(), kind) {
			return nil, fmt.Errorf("fault %q: choose from %s", name, join(Kinds()))
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds, nil
}

// ParseCounts reads a comma-separated list of KIND=COUNT.
func ParseCounts(list string) (map[Kind]int, error) {
	counts := map[Kind]int{}
	if list == "" {
		return counts, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		name, number, found := strings.Cut(part, "=")
		count, err := strconv.Atoi(number)
		kinds, unknown := ParseKinds(name)
		if !found || err != nil || count < 1 || unknown != nil || len(kinds) != 1 {
			return nil, fmt.Errorf("%q is not KIND=COUNT with a kind of %s", part, join(Kinds()))
		}
		counts[kinds[0]] = count
	}
	return counts, nil
}

func join(kinds []Kind) string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return strings.Join(names, ",")
}

// Join is the list that ParseKinds reads.
func Join(kinds []Kind) string { return join(kinds) }

// Fault is one entry of a schedule.
type Fault struct {
	// Number tells faults of one schedule apart.
	Number int  `json:"number"`
	Kind   Kind `json:"kind"`
	// Variant says which of the kind's ways to do harm.
	Variant string `json:"variant,omitempty"`
	// At is when it begins, For how long it lasts.
	At  time.Duration `json:"at"`
	For time.Duration `json:"for"`
	// Leader: it is to hit whoever leads then; else the node of index Node.
	Leader bool `json:"leader,omitempty"`
	Node   int  `json:"node"`
	// Seed is what the fault draws its own chances from.
	Seed uint64 `json:"seed"`
}

// End is when the fault is over.
func (f Fault) End() time.Duration { return f.At + f.For }

// Config says what schedule to make.
type Config struct {
	Seed   uint64
	Length time.Duration
	Nodes  int
	Kinds  []Kind
	// Windows are the names of the windows of the code that Window may choose from.
	Windows []string
}

// atMost is how many faults overlap.
const atMost = 3

// Make makes a schedule. At any time one to three faults are under way, short pauses aside, so that a cluster gets
// somewhere between them.
func Make(c Config) []Fault {
	m := maker{Config: c, random: rand.New(rand.NewPCG(c.Seed, uint64(c.Nodes)))}
	var faults []Fault
	free := [atMost]time.Duration{} // when each lane is free again
	lanes := 1
	for now := m.between(500*time.Millisecond, time.Second); ; {
		if len(faults)%5 == 0 {
			lanes = 1 + m.random.IntN(atMost)
		}
		lane := 0
		for i := range lanes {
			if free[i] < free[lane] {
				lane = i
			}
		}
		now = max(now, free[lane]) + m.between(50*time.Millisecond, 900*time.Millisecond)
		fault := m.fault(len(faults), now)
		if len(c.Kinds) == 0 || fault.End() > c.Length {
			return faults
		}
		faults = append(faults, fault)
		free[lane] = fault.End()
	}
}

type maker struct {
	Config
	random *rand.Rand
	// deck is dealt until it is empty, so that no kind is left out by chance.
	deck    []Kind
	windows []string
}

func (m *maker) between(least, most time.Duration) time.Duration {
	return least + time.Duration(m.random.Int64N(int64(most-least)))
}

func (m *maker) kind() Kind {
	if len(m.Kinds) == 0 {
		return ""
	}
	if len(m.deck) == 0 {
		for _, kind := range m.Kinds {
			m.deck = append(m.deck, kind)
			if kind == Kill || kind == Window { // what users fear most, and what has the most ways
				m.deck = append(m.deck, kind, kind)
			}
		}
		m.random.Shuffle(len(m.deck), func(i, j int) { m.deck[i], m.deck[j] = m.deck[j], m.deck[i] })
	}
	kind := m.deck[0]
	m.deck = m.deck[1:]
	return kind
}

func (m *maker) fault(number int, at time.Duration) Fault {
	f := Fault{Number: number, Kind: m.kind(), At: at, Leader: m.random.IntN(10) < 6, Node: m.random.IntN(m.Nodes), Seed: m.random.Uint64()}
	least, most := lasts(f.Kind)
	f.For = m.between(least, most)
	f.Variant = m.variant(f.Kind)
	return f
}

// lasts is how long faults of a kind last.
func lasts(kind Kind) (least, most time.Duration) {
	switch kind {
	case Kill, Window:
		return 50 * time.Millisecond, 1500 * time.Millisecond
	case Power:
		return 200 * time.Millisecond, 1500 * time.Millisecond
	case Restart, Leader:
		return 100 * time.Millisecond, 500 * time.Millisecond
	default:
		return 300 * time.Millisecond, 4 * time.Second
	}
}

// variants are the ways in which a kind does harm.
func variants(kind Kind) []string {
	switch kind {
	case Kill:
		return []string{"one", "one", "one", "one", "all"}
	case Power:
		return []string{"one", "one", "all"}
	case Restart:
		return []string{"one", "rolling"}
	case Partition:
		return []string{"isolate", "isolate", "halves", "deaf", "mute", "from git"}
	case Loss:
		return []string{"5", "20", "50"}
	case Delay:
		return []string{"20ms", "100ms", "400ms", "jitter"}
	case Disk:
		return []string{"slow", "full", "error"}
	case Clock:
		return []string{"+3s", "-3s", "+90s", "-90s", "+2h", "-2h"}
	case Git:
		return []string{"unavailable", "hang", "page", "empty", "truncate", "cut", "corrupt", "flood", "rewrite"}
	case Webhook:
		return []string{"storm", "forged"}
	default:
		return []string{""}
	}
}

func (m *maker) variant(kind Kind) string {
	if kind == Window && len(m.Windows) > 0 {
		if len(m.windows) == 0 {
			m.windows = slices.Clone(m.Windows)
			m.random.Shuffle(len(m.windows), func(i, j int) { m.windows[i], m.windows[j] = m.windows[j], m.windows[i] })
		}
		next := m.windows[0]
		m.windows = m.windows[1:]
		return next
	}
	all := variants(kind)
	return all[m.random.IntN(len(all))]
}
