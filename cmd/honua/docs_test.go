package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// documentedCommand is a command line of this program in the documentation.
type documentedCommand struct {
	place string
	words []string
	// whole: it stands on a line of its own, to be typed as it is. Others are mentioned in a sentence.
	whole bool
}

var (
	typed     = regexp.MustCompile(`(?m)^(?:    |\$ |)(?:\$ )?(?:sudo (?:-u \w+ )?)?(?:bin/)?honua (.*)$`)
	mentioned = regexp.MustCompile("`honua ([a-z][^`]*)`")
	comment   = regexp.MustCompile(`\s+#.*$`)
)

// documentedCommands are those of a page, with continuation lines joined.
func documentedCommands(page, text string) (found []documentedCommand) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	add := func(at int, line string, whole bool) {
		words := shellWords(comment.ReplaceAllString(line, ""))
		place := fmt.Sprintf("%s: honua %s", filepath.Base(page), strings.Join(words, " "))
		found = append(found, documentedCommand{place, words, whole})
	}
	for _, m := range typed.FindAllStringSubmatchIndex(text, -1) {
		add(m[0], text[m[2]:m[3]], true)
	}
	for _, m := range mentioned.FindAllStringSubmatchIndex(text, -1) {
		add(m[0], text[m[2]:m[3]], false)
	}
	return found
}

// shellWords splits a command line at blanks outside of quotes, up to the first pipe or redirection.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quote, begun := rune(0), false
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && (r == ' ' || r == '\n'):
			end()
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	end()
	for i, w := range words {
		if w == "|" || w == "&&" || w == "||" || strings.HasPrefix(w, ">") || strings.HasPrefix(w, "2>") {
			return words[:i]
		}
	}
	return words
}

// understand checks that the program has the command and its flags, and, where it is meant to be typed, that the
// arguments are enough.
func (d documentedCommand) understand(root *cobra.Command) error {
	words := slices.Clone(d.words)
	for i, w := range words {
		// Alternatives, as in deployment list|show: the first one.
		words[i], _, _ = strings.Cut(w, "|")
		words[i] = strings.Trim(words[i], "[]")
		if words[i] == "N" || strings.HasPrefix(w, "$(") {
			words[i] = "1"
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	command, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	command.InitDefaultHelpFlag()
	if err := command.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if command == root || command.HasSubCommands() && len(command.Flags().Args()) > 0 {
		return fmt.Errorf("no such command below %q", command.CommandPath())
	}
	if d.whole && !command.HasSubCommands() {
		return errors.Join(command.ValidateArgs(command.Flags().Args()), command.ValidateRequiredFlags(), command.ValidateFlagGroups())
	}
	return nil
}

// Every command line of this program in the documentation is one that it understands.
func TestDocumentedCommandsAreUnderstood(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	count := 0
	for _, page := range append(pages, "../../README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range documentedCommands(page, string(content)) {
			count++
			if err := d.understand(newRootCommand(testSession())); err != nil {
				t.Errorf("%s: %v", d.place, err)
			}
		}
	}
	if count < 150 {
		t.Errorf("only %d command lines were found", count)
	}
}

func TestUnknownCommandsAreFound(t *testing.T) {
	for _, line := range []string{"deployment aprove ID", "status --wid", "deployment reject", "no-such-command", "environment sync a b c"} {
		d := documentedCommand{words: shellWords(line), whole: true}
		if d.understand(newRootCommand(testSession())) == nil {
			t.Errorf("honua %s is understood", line)
		}
	}
}

// testSession has no streams and no environment.
func testSession() *session {
	return newSession(strings.NewReader(""), io.Discard, io.Discard, func(string) string { return "" })
}
