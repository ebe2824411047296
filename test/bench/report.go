package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// goal is what a figure is held against. The zero goal is none.
type goal struct {
	limit float64
	// atLeast: the limit is the least that will do, not the most.
	atLeast bool
	// worst: it holds for every value, not for the median.
	worst bool
}

func atMost(limit float64) goal  { return goal{limit: limit} }
func atLeast(limit float64) goal { return goal{limit: limit, atLeast: true} }
func always(limit float64) goal  { return goal{limit: limit, worst: true} }

func (g goal) String() string {
	if g.limit == 0 {
		return ""
	}
	text := "≤ "
	if g.atLeast {
		text = "≥ "
	}
	text += number(g.limit)
	if g.worst {
		text = "max " + text
	}
	return text
}

// met judges a summary; "" without a goal.
func (g goal) met(s summary) string {
	if g.limit == 0 {
		return ""
	}
	value := s.Median
	if g.worst {
		value = s.Max
	}
	if g.atLeast == (value >= g.limit) || value == g.limit {
		return "met"
	}
	return "missed"
}

// figure is one line of results.jsonl.
type figure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	summary
	Goal    string      `json:"goal,omitempty"`
	Verdict string      `json:"verdict,omitempty"`
	Load    string      `json:"load"`
	Time    time.Time   `json:"time"`
	Machine environment `json:"machine"`
	Values  []float64   `json:"values"`
}

// environment is where a figure was measured.
type environment struct {
	Commit string `json:"commit"`
	Go     string `json:"go"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
}

// report collects figures.
type report struct {
	machine environment
	folder  string
	lines   *os.File
	figures []figure
	out     io.Writer
}

func newReport(ctx context.Context, folder string, out io.Writer) (*report, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	lines, err := os.Create(filepath.Join(folder, "results.jsonl"))
	if err != nil {
		return nil, err
	}
	commit, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return &report{
		folder: folder, lines: lines, out: out,
		machine: environment{
			Commit: strings.TrimSpace(string(commit)), Go: runtime.Version(), CPU: processor(), Cores: runtime.NumCPU(), Kernel: kernel(),
		},
	}, nil
}

// add records a figure and all its values.
func (r *report) add(name, unit string, g goal, values ...float64) {
	f := figure{
		Name: name, Unit: unit, summary: summarise(values), Goal: g.String(), Load: load(), Time: time.Now().UTC().Truncate(time.Second),
		Machine: r.machine, Values: values,
	}
	f.Verdict = g.met(f.summary)
	r.figures = append(r.figures, f)
	// What cannot be written is found when the file is closed.
	_ = json.NewEncoder(r.lines).Encode(f)
	fmt.Fprintf(os.Stderr, "  %s: median %s %s, max %s, load %s %s\n", name, number(f.Median), unit, number(f.Max), f.Load, f.Verdict)
}

func (r *report) close() error {
	if len(r.figures) == 0 {
		return errors.Join(errors.New("nothing was measured"), r.lines.Close())
	}
	return errors.Join(r.lines.Close(), r.writeForBenchstat(), r.printTable())
}

// writeForBenchstat writes one line for each value, in the format of `go test -bench`.
func (r *report) writeForBenchstat() error {
	var text strings.Builder
	fmt.Fprintf(&text, "goos: %s\ngoarch: %s\npkg: test/bench\ncpu: %s\n", runtime.GOOS, runtime.GOARCH, r.machine.CPU)
	text.WriteString("Unit per-s better=higher\n")
	for _, f := range r.figures {
		for _, value := range f.Values {
			fmt.Fprintf(&text, "Benchmark%s 1 %s %s\n", strings.ReplaceAll(f.Name, " ", "_"), strconv.FormatFloat(value, 'f', -1, 64), f.Unit)
		}
	}
	return os.WriteFile(filepath.Join(r.folder, "results.txt"), []byte(text.String()), 0o644)
}

func (r *report) printTable() error {
	m := r.machine
	fmt.Fprintf(r.out, "%s, %s, %d × %s, Linux %s\n\n", m.Commit, m.Go, m.Cores, m.CPU, m.Kernel)
	table := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tunit\tn\tmedian\tp90\tmax\tgoal\t\tload")
	for _, f := range r.figures {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n",
			f.Name, f.Unit, f.N, number(f.Median), number(f.P90), number(f.Max), f.Goal, f.Verdict, f.Load)
	}
	return table.Flush()
}

// number shows three digits that matter.
func number(value float64) string {
	switch {
	case value >= 100 || value <= -100:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case value >= 10 || value <= -10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	default:
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
