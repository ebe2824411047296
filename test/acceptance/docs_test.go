//go:build unix

package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

var runnable = regexp.MustCompile("(?ms)^ *```console honua\n(.*?)^ *```$")

// documented are the commands of all pages that are marked as runnable, in their order.
func documented(t *testing.T) (commands []string) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range runnable.FindAllStringSubmatch(string(content), -1) {
			for line := range strings.Lines(block[1]) {
				if command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ "); ok {
					commands = append(commands, command)
				}
			}
		}
	}
	return commands
}

// Every command that the docs mark as runnable works as it stands there, in the order in which it stands there.
func TestCommandsOfTheDocs(t *testing.T) {
	commands := documented(t)
	if len(commands) < 20 {
		t.Fatalf("only %d commands", len(commands))
	}
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			commands = without(commands, tool)
		}
	}
	c := harness.Start(t, harness.Options{})
	c.AwaitServed(development, c.Repo.SetTitle(development, "World Cities"))
	programs := t.TempDir()
	if err := os.Symlink(harness.Binary(t), filepath.Join(programs, "honua")); err != nil {
		t.Fatal(err)
	}
	for _, line := range commands {
		command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", line)
		command.Dir = c.Dir // what a command writes goes with the cluster
		command.Env = append(os.Environ(),
			"PATH="+programs+":"+os.Getenv("PATH"), "HONUA_ADDRESS="+strings.Join(c.Addresses(), ","), "REPOSITORY="+c.Repo.Dir,
			"HTTP="+c.Nodes[0].HTTP, "SETTINGS="+c.Nodes[0].SettingsFile(), "STATE="+filepath.Join(c.Nodes[0].Dir, "state"),
			"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
		)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
}

// without leaves the commands out that need a program that this machine does not have: the tests need Go and git only.
func without(commands []string, tool string) (kept []string) {
	for _, command := range commands {
		if !strings.Contains(command, tool+" ") {
			kept = append(kept, command)
		}
	}
	return kept
}
