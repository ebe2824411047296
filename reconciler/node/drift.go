package node

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Pacing of the search for drift.
const (
	// defaultProbeInterval is how often what is served is probed.
	defaultProbeInterval = 10 * time.Second
	// probeShare bounds what probing costs: the pause after it is at least so many times as long as it took.
	probeShare = 20
	// shownDrift is how many layers a message names.
	shownDrift = 3
)

// searchDrift probes what is served, again and again. What breaks after a
// deployment completed is drift: it is reported, and nothing is rolled back.
func (n *Node) searchDrift(ctx context.Context) {
	interval := n.config.ProbeInterval
	if interval == 0 {
		interval = defaultProbeInterval
	}
	for pause := interval; sleep(ctx, pause); {
		begun := time.Now()
		for _, s := range n.Serves() {
			if s.Problem == "" {
				n.probeForDrift(ctx, s)
			}
		}
		pause = max(interval, probeShare*time.Since(begun))
	}
}

// probeForDrift probes one environment. A probe that did not finish says nothing.
func (n *Node) probeForDrift(ctx context.Context, s Serving) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	results, ok := n.config.Registry.Probe(ctx, s.Environment)
	if !ok || ctx.Err() != nil {
		return
	}
	var broken []string
	for _, r := range results {
		if !r.OK {
			broken = append(broken, "layer "+r.Layer+": "+r.Reason)
		}
	}
	found := driftMessage(broken)
	if !n.noteDrift(s, found) {
		return
	}
	if found == "" {
		n.config.Logger.InfoContext(ctx, msgDriftOver, "environment", s.Environment)
		return
	}
	n.config.Logger.WarnContext(ctx, msgDriftFound, "environment", s.Environment, "problem", found)
}

// driftMessage names the first few of what is broken; empty if nothing is.
func driftMessage(broken []string) string {
	if len(broken) <= shownDrift {
		return strings.Join(broken, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(broken[:shownDrift], "; "), len(broken)-shownDrift)
}

// noteDrift records what a probe of an activation found, unless another one is
// served by now, and reports whether it is news.
func (n *Node) noteDrift(probed Serving, found string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.serves[probed.Environment]
	if s.Epoch != probed.Epoch || s.ActivationIndex != probed.ActivationIndex || s.drift == found {
		return false
	}
	s.drift = found
	n.serves[probed.Environment] = s
	return true
}
