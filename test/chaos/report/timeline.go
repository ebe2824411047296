package report

import (
	"encoding/xml"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/test/chaos/check"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// The drawing's measures, in pixels.
const (
	perSecond = 40
	labels    = 150
	rowHeight = 22
)

// drawing is an SVG in the making: rows of marks over time.
type drawing struct {
	body strings.Builder
	rows int
}

func (d *drawing) row(label string) (y int) {
	y = rowHeight * (d.rows + 2)
	d.rows++
	fmt.Fprintf(&d.body, "<text x=\"4\" y=\"%d\">%s</text>\n", y+14, escape(label))
	return y
}

func x(at time.Duration) float64 { return labels + at.Seconds()*perSecond }

// bar is something that lasted; hovering over it tells what.
func (d *drawing) bar(y int, from, to time.Duration, colour, label, tells string) {
	width := max(2, x(to)-x(from))
	fmt.Fprintf(&d.body, "<g><title>%s</title><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>", escape(tells), x(from), y+2, width, rowHeight-5, colour)
	if label != "" && width > float64(7*len(label)) {
		fmt.Fprintf(&d.body, "<text x=\"%.1f\" y=\"%d\" class=\"in\">%s</text>", x(from)+3, y+14, escape(label))
	}
	d.body.WriteString("</g>\n")
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}

// Timeline draws terms, faults, activations and calls of a round over time.
func Timeline(e *check.Evidence, path string) error {
	d := &drawing{}
	d.leaders(e)
	d.faults(e)
	for _, environment := range e.Round.Environments {
		for _, n := range e.Nodes {
			d.served(e, environment.Name, n)
		}
	}
	d.calls(e)
	length := e.Round.Length
	var grid strings.Builder
	for at := time.Duration(0); at <= length; at += 5 * time.Second {
		fmt.Fprintf(&grid, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/><text x=\"%.1f\" y=\"14\">%s</text>\n",
			x(at), rowHeight, x(at), rowHeight*(d.rows+2), x(at), at)
	}
	svg := fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%d\">\n"+
		"<style>text{font:11px sans-serif}.in{fill:#fff}line{stroke:#ddd}</style>\n%s%s</svg>\n",
		x(length)+20, rowHeight*(d.rows+3), grid.String(), d.body.String())
	return os.WriteFile(path, []byte(svg), 0o644)
}

func (d *drawing) leaders(e *check.Evidence) {
	y := d.row("leader")
	for i, l := range e.Round.Leaders {
		end := e.Round.Length
		if i+1 < len(e.Round.Leaders) {
			end = e.Round.Leaders[i+1].At
		}
		d.bar(y, l.At, end, colourOf(l.Node), l.Node, fmt.Sprintf("%s leads term %d from %s", l.Node, l.Term, l.At))
	}
}

func (d *drawing) faults(e *check.Evidence) {
	kinds := map[string][]history.Applied{}
	var order []string
	for _, f := range e.Faults {
		if f.Done {
			kinds[string(f.Kind)] = append(kinds[string(f.Kind)], f)
		}
	}
	for kind := range kinds {
		order = append(order, kind)
	}
	slices.Sort(order)
	for _, kind := range order {
		y := d.row("fault: " + kind)
		for _, f := range kinds[kind] {
			d.bar(y, f.From, f.To, "#b33", f.Variant+" "+strings.Join(f.Hit, " "), fmt.Sprintf("%d: %s %s of %v, %s to %s. %s", f.Number, kind, f.Variant, f.Hit, f.From, f.To, f.Note))
		}
	}
}

// served shows what a node answered, with the activations of its journal as what the digests are.
func (d *drawing) served(e *check.Evidence, environment string, n *check.Node) {
	y := d.row(environment + " at " + n.ID)
	indexes := map[string]uint64{}
	for _, entry := range n.Journal {
		if entry.Environment == environment && entry.Phase != node.Intent {
			indexes[entry.Digest] = entry.ActivationIndex
		}
	}
	for _, p := range e.Polls {
		if p.Node != n.ID || p.Environment != environment {
			continue
		}
		colour, label := "#ccc", ""
		if p.Digest != "" {
			colour, label = "#"+p.Digest[:6], fmt.Sprint(indexes[p.Digest])
		}
		d.bar(y, p.From, p.To, colour, label, fmt.Sprintf("%d answers: %.8s (activation %s) %s, status %d, %s to %s", p.Count, p.Digest, label, p.Error, p.Status, p.From, p.To))
	}
}

func (d *drawing) calls(e *check.Evidence) {
	colours := map[history.Outcome]string{history.OK: "#393", history.Refused: "#c80", history.NotExecuted: "#999", history.Unknown: "#63c"}
	rows := map[int]int{}
	for _, c := range e.Calls {
		y, known := rows[c.Client]
		if !known {
			y = d.row(fmt.Sprintf("client %d, %s", c.Client, c.Actor))
			rows[c.Client] = y
		}
		d.bar(y, c.Called, c.Returned, colours[c.Outcome], "", fmt.Sprintf("%s %s %s: %s, %s to %s. %s", c.Kind, c.Environment, c.Deployment, c.Outcome, c.Called, c.Returned, c.Error))
	}
}

func colourOf(name string) string {
	colours := []string{"#1b6ca8", "#5b8c2a", "#a8541b", "#7b3fa0", "#a01b4b"}
	return colours[int(name[len(name)-1])%len(colours)]
}
