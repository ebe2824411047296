package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// redrawEvery is how often the elapsed time moves on a terminal.
const redrawEvery = 100 * time.Millisecond

// progress shows what a deployment is doing: redrawn in place on a terminal, a plain line for each step elsewhere.
type progress struct {
	out    io.Writer
	live   bool
	silent bool
	began  time.Time
	stop   chan struct{}
	done   chan struct{}

	mu    sync.Mutex
	lines []string
	drawn int
	last  string
}

// newProgress shows progress on stderr. close has to be called.
func (s *session) newProgress() *progress {
	p := &progress{out: s.err, live: s.live, silent: s.structured() && !s.live, began: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	go p.tick()
	return p
}

func (p *progress) tick() {
	defer close(p.done)
	if !p.live {
		return
	}
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// deployment shows a deployment's newest state.
func (p *progress) deployment(d *pb.Deployment) {
	p.show(progressLines(view.NewDeployment(d)))
}

// show replaces what is shown. Elsewhere than on a terminal a repeated text is not printed again.
func (p *progress) show(lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = lines
	if p.live {
		p.draw()
		return
	}
	if text := strings.Join(lines, "; "); text != p.last && !p.silent {
		p.last = text
		fmt.Fprintf(p.out, "%6s  %s\n", elapsed(time.Since(p.began)), text)
	}
}

// draw writes the lines over the ones before.
func (p *progress) draw() {
	var text strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", p.drawn)
	}
	for i, line := range p.lines {
		if i == 0 {
			line += "  " + elapsed(time.Since(p.began))
		}
		text.WriteString("\x1b[2K" + line + "\n")
	}
	text.WriteString("\x1b[J")
	p.drawn = len(p.lines)
	_, _ = io.WriteString(p.out, text.String())
}

// close ends the display; what was shown last stays.
func (p *progress) close() {
	close(p.stop)
	<-p.done
}

// progressLines are a deployment's state and, below it, its nodes.
func progressLines(d view.Deployment) []string {
	head := d.ID + "  " + d.State
	if d.Phase != "" {
		head += " / " + d.Phase
	}
	lines := []string{head}
	switch {
	case d.State == "Completed", d.State == "Applying" && d.Phase == "Verifying":
		return append(lines, nodeLines(d.Nodes, d.ActivationIndex)...)
	case d.State == "Applying":
		// An activation that is on record is that of an earlier attempt.
		return append(lines, nodeLines(d.Nodes, 0)...)
	}
	return lines
}

// nodeLines say how far each node has come with an activation, which is 0 before there is one.
func nodeLines(nodes []view.Progress, activation uint64) []string {
	lines := make([]string, 0, len(nodes))
	for _, n := range nodes {
		lines = append(lines, "  "+n.NodeID+" "+nodeStep(n, activation))
	}
	return lines
}

// nodeStep is how far a node has come.
func nodeStep(n view.Progress, activation uint64) string {
	switch {
	case n.Rejected:
		return "rejected: " + clip(strings.Join(n.Problems, "; "), 100)
	case n.Unavailable:
		return "unavailable"
	case n.Verified:
		return "verified"
	case activation > 0 && n.ServedIndex >= activation:
		return "active"
	case n.Staged:
		return "staged"
	}
	return "staging"
}
