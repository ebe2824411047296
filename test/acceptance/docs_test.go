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
	"github.com/honua-io/honua-gitops/test/pages"
)

var tool = regexp.MustCompile(`\b(curl|jq) `)

// missing is the program that a command needs and that this machine does not have: the tests need Go and git only.
func missing(command string) string {
	for _, m := range tool.FindAllStringSubmatch(command, -1) {
		if _, err := exec.LookPath(m[1]); err != nil {
			return m[1]
		}
	}
	return ""
}

// typist is who commits in the documentation.
func typist(programs string) []string {
	return []string{
		"PATH=" + programs + ":" + os.Getenv("PATH"),
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
}

// The commands that need a cluster and no approvals work as they stand in the documentation, in their order.
func TestCommandsOfTheDocs(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	c.AwaitServed(development, c.Repo.SetTitle(development, "World Cities"))
	env := append(typist(harness.Programs(t)), "HONUA_ADDRESS="+strings.Join(c.Addresses(), ","), "REPOSITORY="+c.Repo.Dir,
		"HTTP="+c.Nodes[0].HTTP, "SETTINGS="+c.Nodes[0].SettingsFile(), "STATE="+filepath.Join(c.Nodes[0].Dir, "state"))
	for _, block := range pages.Marked(t, development) {
		shell := pages.Shell{Dir: c.Dir, Env: env} // what a command writes goes with the cluster
		for _, command := range block.Commands() {
			if need := missing(command); need != "" {
				t.Logf("%s: not run without %s: %s", block.Place(), need, command)
			} else if _, err := shell.Run(t, command); err != nil {
				t.Errorf("%s: %v", block.Place(), err)
			}
		}
	}
}
