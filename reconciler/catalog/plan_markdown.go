package catalog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// maxMarkdownItems of each list are shown: comments on pull requests end at 64 KB.
const maxMarkdownItems = 100

// WriteMarkdown prints a plan as a comment for a pull request.
func WriteMarkdown(w io.Writer, p Plan) error {
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "## Deployment Plan for %s\n\n", code(p.Environment))
	fmt.Fprintf(out, "**Commit:** %s → %s  \n", code(shortCommit(p.FromCommit)), code(shortCommit(p.ToCommit)))
	fmt.Fprintf(out, "**Risk Level:** %s  \n", p.Risk)
	fmt.Fprintf(out, "**Estimated Duration:** %s\n", durationText(p.EstimatedDurationSeconds))
	if p.Empty() {
		fmt.Fprint(out, "\nNothing changes.\n")
	}
	markdownList(out, "Why this risk", p.RiskReasons, code)
	markdownList(out, "Breaking", p.Breaking, func(b Breaking) string {
		return fmt.Sprintf("%s %s: %s", b.Kind, code(b.ID), code(b.Reason))
	})
	markdownList(out, "Added", p.Added, markdownItem)
	markdownList(out, "Modified", p.Modified, func(c Change) string {
		fields := make([]string, len(c.Fields))
		for i := range fields {
			fields[i] = code(c.Fields[i])
		}
		return fmt.Sprintf("%s %s: %s", c.Kind, code(c.ID), strings.Join(fields, ", "))
	})
	markdownList(out, "Removed", p.Removed, markdownItem)
	markdownList(out, "Migrations", p.Migrations, code)
	_, err := w.Write(out.Bytes())
	return err
}

func markdownItem(i Item) string {
	if i.ID == i.File {
		return fmt.Sprintf("%s %s", i.Kind, code(i.ID))
	}
	return fmt.Sprintf("%s %s in %s", i.Kind, code(i.ID), code(i.File))
}

func markdownList[T any](w *bytes.Buffer, title string, list []T, line func(T) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n### %s\n\n", title)
	for i, item := range list {
		if i == maxMarkdownItems {
			fmt.Fprintf(w, "- … and %d more\n", len(list)-i)
			return
		}
		fmt.Fprintf(w, "- %s\n", line(item))
	}
}

// code shows a text from a repository as it is: Markdown in it has no effect.
func code(text string) string {
	return "`" + strings.ReplaceAll(printable(text), "`", "'") + "`"
}
