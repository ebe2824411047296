package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
)

// safe makes a text that others wrote harmless for a terminal.
func safe(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// clip cuts a text to one line of at most length characters.
func clip(text string, length int) string {
	runes := []rune(strings.Join(strings.Fields(safe(text)), " "))
	if len(runes) <= length {
		return string(runes)
	}
	return string(runes[:length-1]) + "…"
}

// clip is the function, but leaves a wide table's texts whole.
func (s *session) clip(text string, length int) string {
	if s.wide() {
		length = 1 << 20
	}
	return clip(text, length)
}

// utc is a moment in tables, to the second.
func utc(t *view.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// elapsed is a span of time in progress displays.
func elapsed(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func newline(w io.Writer) { fmt.Fprintln(w) }

// pair prints one "name: value" line; nothing for an empty value.
func pair(w io.Writer, name, value string) {
	if value != "" {
		fmt.Fprintf(w, "%-14s %s\n", name+":", safe(value))
	}
}

// required marks a flag as required; a name that is no flag is a mistake in this program.
func required(command *cobra.Command, flag string) {
	if err := command.MarkFlagRequired(flag); err != nil {
		panic(err)
	}
}
