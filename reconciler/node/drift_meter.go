package node

import (
	"cmp"
	"slices"
	"sync"
)

// DriftCount is how much drift of one kind a node found in an environment.
type DriftCount struct {
	Environment string
	Kind        string
	// Open is how much there was when it was last looked at, and could not be put right.
	Open int
	// Found and Corrected count since the process began; what stays broken is found once.
	Found, Corrected uint64
}

// driftMeter counts drift.
type driftMeter struct {
	mu     sync.Mutex
	counts map[driftKey]*DriftCount
	open   map[string]map[openKey]bool // by environment, what is broken
}

type driftKey struct{ environment, kind string }

type openKey struct{ kind, object string }

func newDriftMeter() *driftMeter {
	return &driftMeter{counts: map[driftKey]*DriftCount{}, open: map[string]map[openKey]bool{}}
}

// record counts one inspection, in which the kinds that it did not look at have nothing open.
func (m *driftMeter) record(environment string, found inspection) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, now := m.open[environment], map[openKey]bool{}
	for _, kind := range []string{DriftContent, DriftCatalog, DriftFile, DriftSource} {
		m.count(environment, kind).Open = 0
	}
	for _, d := range found.drift {
		count := m.count(environment, d.Kind)
		switch key := (openKey{d.Kind, d.Object}); {
		case d.Kind == DriftFile && d.Corrected: // counted by the files' writer
		case d.Corrected:
			count.Found++
			count.Corrected++
		default:
			count.Open++
			now[key] = true
			if !before[key] {
				count.Found++
			}
		}
	}
	m.open[environment] = now
}

// corrected counts one difference that was put right where it was found.
func (m *driftMeter) corrected(environment, kind string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count := m.count(environment, kind)
	count.Found++
	count.Corrected++
}

func (m *driftMeter) count(environment, kind string) *DriftCount {
	key := driftKey{environment, kind}
	if m.counts[key] == nil {
		m.counts[key] = &DriftCount{Environment: environment, Kind: kind}
	}
	return m.counts[key]
}

// DriftCounts returns what this node found, by environment and kind.
func (n *Node) DriftCounts() []DriftCount {
	n.meter.mu.Lock()
	defer n.meter.mu.Unlock()
	var counts []DriftCount
	for _, count := range n.meter.counts {
		counts = append(counts, *count)
	}
	slices.SortFunc(counts, func(a, b DriftCount) int {
		return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Kind, b.Kind))
	})
	return counts
}
