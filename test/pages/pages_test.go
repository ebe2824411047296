package pages

import (
	"slices"
	"strings"
	"testing"
)

const page = "# A page\n" +
	"\n" +
	"```console here\n" +
	"$ one \\\n" +
	"  two\n" +
	"printed\n" +
	"$ three\n" +
	"```\n" +
	"\n" +
	"1. In a list:\n" +
	"\n" +
	"   ```json settings\n" +
	"   \"A\": { \"B\": [\"/etc/x\"] }\n" +
	"   ```\n" +
	"\n" +
	"    $ indented\n" +
	"\n" +
	"text\n" +
	"    that goes on\n"

func TestBlocks(t *testing.T) {
	blocks := parse("p.md", page)
	if len(blocks) != 3 {
		t.Fatalf("%+v", blocks)
	}
	mark, console := blocks[0].Console()
	if commands := blocks[0].Commands(); mark != "here" || !console || !slices.Equal(commands, []string{"one \\\n  two", "three"}) {
		t.Errorf("%q, %v, %q", mark, console, commands)
	}
	if _, console := blocks[1].Console(); console || blocks[1].Place() != "p.md:12" {
		t.Errorf("%+v", blocks[1])
	}
	if !blocks[2].Indented || blocks[2].Text != "$ indented\n" {
		t.Errorf("%+v", blocks[2])
	}
}

func TestSettingsOfBlocks(t *testing.T) {
	settings := map[string]any{"A": map[string]any{"C": "/etc/y"}, "D": 1.0}
	Merge(settings, Settings(t, parse("p.md", page)[1]))
	Translate(settings, "/etc", "/there")
	a := settings["A"].(map[string]any)
	if a["C"] != "/there/y" || a["B"].([]any)[0] != "/there/x" || settings["D"] != 1.0 {
		t.Errorf("%v", settings)
	}
}

// What one command sets holds for the next; a comment may name the outcome.
func TestShell(t *testing.T) {
	s := Shell{Dir: t.TempDir(), Env: []string{"NAME=Ada"}, Places: []string{"/etc/honua", "/tmp"}, Input: "yes\n"}
	for _, command := range [][2]string{
		{"cd /", ""}, {"export A=1", ""}, {"b=2", ""}, {"echo $NAME", "Ada"}, {"cat", "yes"}, {"(exit 2)   # 2: something changes", ""}, {"echo /etc/honua/x", "/tmp/x"},
	} {
		if out, err := s.Run(t, command[0]); err != nil || !strings.Contains(out, command[1]) {
			t.Errorf("%s: %v, %q", command[0], err, out)
		}
	}
	if out, err := s.Run(t, `echo "$PWD $A $b"`); err != nil || out != "/ 1 2\n" {
		t.Errorf("%v, %q", err, out)
	}
	for _, wrong := range []string{"(exit 3)   # 2: something changes", "exit 2", "echo '# 2: no'; exit 2", "false | true"} {
		if _, err := s.Run(t, wrong); err == nil {
			t.Errorf("%s is no error", wrong)
		}
	}
}
