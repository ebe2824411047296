package hostile

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is the table as docs/hostile-repositories.md has it: how many cases each cell has, or the number of the
// reason why it has none; the reasons; and every case with the code that it comes to.
func Markdown() string {
	var out strings.Builder
	cells, explained := ByCell(), Explained()
	out.WriteString("| |")
	for _, phase := range Phases() {
		fmt.Fprintf(&out, " %s |", phase)
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(Phases())) + "\n")
	var reasons []string
	for _, class := range Classes() {
		fmt.Fprintf(&out, "| **%s** |", class)
		for _, phase := range Phases() {
			cell := Cell{class, phase}
			if n := len(cells[cell]); n > 0 {
				fmt.Fprintf(&out, " %d |", n)
				continue
			}
			at := slices.Index(reasons, explained[cell])
			if at < 0 {
				at = len(reasons)
				reasons = append(reasons, explained[cell])
			}
			fmt.Fprintf(&out, " (%c) |", 'a'+at)
		}
		out.WriteString("\n")
	}
	out.WriteString("\n")
	for i, reason := range reasons {
		fmt.Fprintf(&out, "- (%c) %s.\n", 'a'+i, reason)
	}
	for _, phase := range Phases() {
		fmt.Fprintf(&out, "\n### %s\n\n| class | case | comes to |\n|---|---|---|\n", strings.ToUpper(string(phase[:1]))+string(phase[1:]))
		for _, class := range Classes() {
			for _, c := range cells[Cell{class, phase}] {
				fmt.Fprintf(&out, "| %s | %s | %s |\n", class, c.Name, codes(c))
			}
		}
	}
	return out.String()
}

func codes(c Case) string {
	if c.Code == Accepted || c.Code == Absent {
		return c.Code
	}
	return "`" + strings.ReplaceAll(c.Code, "|", "` or `") + "`"
}
