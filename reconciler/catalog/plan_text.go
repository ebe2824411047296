package catalog

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// WriteText prints a plan for people. The section "Breaking" is there only if something is.
func WriteText(w io.Writer, p Plan) error {
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "Deployment Plan for %s\n", printable(p.Environment))
	fmt.Fprintf(out, "Commit: %s -> %s\n", shortCommit(p.FromCommit), shortCommit(p.ToCommit))
	fmt.Fprintf(out, "Risk Level: %s\n", p.Risk)
	section(out, "Added", len(p.Added), func(i int) string { return itemText(p.Added[i]) })
	section(out, "Modified", len(p.Modified), func(i int) string { return changeText(p.Modified[i]) })
	section(out, "Removed", len(p.Removed), func(i int) string { return itemText(p.Removed[i]) })
	if len(p.Breaking) > 0 {
		section(out, "Breaking", len(p.Breaking), func(i int) string { return breakingText(p.Breaking[i]) })
	}
	section(out, "Migrations", len(p.Migrations), func(i int) string { return printable(p.Migrations[i]) })
	fmt.Fprintf(out, "\nEstimated Duration: %s\n", durationText(p.EstimatedDurationSeconds))
	_, err := w.Write(out.Bytes())
	return err
}

func section(w *bytes.Buffer, title string, count int, line func(int) string) {
	fmt.Fprintf(w, "\n%s:\n", title)
	for i := range count {
		fmt.Fprintf(w, "  - %s\n", line(i))
	}
	if count == 0 {
		fmt.Fprint(w, "  - None\n")
	}
}

func itemText(i Item) string {
	if i.ID == i.File {
		return fmt.Sprintf("%s: %s", i.Kind, printable(i.ID))
	}
	return fmt.Sprintf("%s: %s (%s)", i.Kind, printable(i.ID), printable(i.File))
}

func changeText(c Change) string {
	return fmt.Sprintf("%s: %s (%s)", c.Kind, printable(c.ID), printable(strings.Join(c.Fields, ", ")))
}

func breakingText(b Breaking) string {
	return fmt.Sprintf("%s: %s (%s)", b.Kind, printable(b.ID), printable(b.Reason))
}

// shortCommit is the first seven characters of a commit.
func shortCommit(commit string) string {
	if commit == "" {
		return "none"
	}
	return printable(commit[:min(len(commit), 7)])
}

func durationText(seconds int) string {
	switch {
	case seconds <= 0:
		return "unknown"
	case seconds == 1:
		return "1 second"
	default:
		return strconv.Itoa(seconds) + " seconds"
	}
}

// printable quotes a text from a repository that could act on a terminal.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
