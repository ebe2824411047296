// Package pages reads the documentation for the tests that run what stands in it. A block of commands says behind its
// fence which of them runs it: "console production" is run on a cluster with an environment of that name.
package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Block is a fenced or an indented block of a page.
type Block struct {
	// Page is the file, from the root of the module; Line is that of the block's beginning.
	Page string
	Line int
	// Info is what stands behind the fence.
	Info string
	// Text is what is in the block, without the indentation of its fence.
	Text string
	// Indented: it has no fence.
	Indented bool
}

// Place is where the block begins.
func (b Block) Place() string { return b.Page + ":" + strconv.Itoa(b.Line) }

// Console reports whether the block has commands, and which mark says who runs them.
func (b Block) Console() (mark string, is bool) {
	word, mark, _ := strings.Cut(b.Info, " ")
	return mark, word == "console"
}

// Commands are the lines behind a prompt, with what continues them. Other lines are what the commands print.
func (b Block) Commands() (commands []string) {
	going := false
	for line := range strings.Lines(b.Text) {
		line = strings.TrimRight(line, "\n")
		if command, is := strings.CutPrefix(line, "$ "); is {
			commands, going = append(commands, command), true
		} else if going {
			commands[len(commands)-1] += "\n" + line
		}
		going = going && strings.HasSuffix(line, `\`)
	}
	return commands
}

// Root is the folder of the module.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above this test")
		}
	}
}

// Names are all pages, from the root of the module, in order.
func Names(t testing.TB) (names []string) {
	t.Helper()
	root := Root(t)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "dist"):
			return filepath.SkipDir
		case strings.HasSuffix(entry.Name(), ".md"):
			name, err := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	if err != nil || !slices.Contains(names, "docs/runbook.md") {
		t.Fatalf("the pages: %v, %v", names, err)
	}
	return names
}

// All are the blocks of all pages, in their order.
func All(t testing.TB) (blocks []Block) {
	t.Helper()
	for _, page := range Names(t) {
		blocks = append(blocks, Of(t, page)...)
	}
	return blocks
}

// Of are the blocks of a page.
func Of(t testing.TB, page string) []Block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(t), filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return parse(page, string(text))
}

// Marked are the blocks of commands that a mark has some test run. There have to be some.
func Marked(t testing.TB, mark string) (blocks []Block) {
	t.Helper()
	for _, block := range All(t) {
		if found, is := block.Console(); is && found == mark {
			blocks = append(blocks, block)
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("no page has a block marked console %s", mark)
	}
	return blocks
}

// One is the only block with this info in all pages.
func One(t testing.TB, info string) (block Block) {
	t.Helper()
	for _, b := range All(t) {
		if b.Info != info {
			continue
		}
		if block.Page != "" {
			t.Fatalf("%s is a second block marked %s, beside %s", b.Place(), info, block.Place())
		}
		block = b
	}
	if block.Page == "" {
		t.Fatalf("no page has a block marked %s", info)
	}
	return block
}

var (
	fence    = regexp.MustCompile("^( *)```(.*)$")
	indented = regexp.MustCompile(`^ {4,}\S`)
)

func parse(page, text string) (blocks []Block) {
	var open *Block
	indentation, blank := "", true
	for number, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m != nil && open != nil && !open.Indented:
			blocks, open = append(blocks, *open), nil
		case m != nil:
			blocks = appendOpen(blocks, open)
			open, indentation = &Block{Page: page, Line: number + 1, Info: strings.TrimSpace(m[2])}, m[1]
		case open != nil && !open.Indented:
			open.Text += strings.TrimPrefix(line, indentation) + "\n"
		case indented.MatchString(line) && (open != nil || blank):
			if open == nil {
				open = &Block{Page: page, Line: number + 1, Indented: true}
			}
			open.Text += strings.TrimSpace(line) + "\n"
		default:
			blocks, open = appendOpen(blocks, open), nil
		}
		blank = strings.TrimSpace(line) == ""
	}
	return appendOpen(blocks, open)
}

func appendOpen(blocks []Block, open *Block) []Block {
	if open == nil {
		return blocks
	}
	return append(blocks, *open)
}
