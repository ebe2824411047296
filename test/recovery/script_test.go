//go:build unix

package recovery

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

const script = "../../deploy/rolling-restart.sh"

// fakeSSH stands for ssh to a node's machine: it notes what it is told, keeps a program that is installed, and has the
// test restart the node.
const fakeSSH = `#!/bin/sh
echo "$HONUA_NODE $*" >> '%[1]s/calls'
case "$*" in
*"sudo install -m 0755 /dev/stdin"*) cat > '%[1]s/installed-'"$HONUA_NODE" ;;
*"sudo systemctl restart"*) %[2]s ;;
*) exit 9 ;;
esac
`

// scripted is what a run of the script came to.
type scripted struct {
	out string
	err error
}

func runScript(t *testing.T, c *harness.Cluster, programs string, args ...string) scripted {
	command := exec.CommandContext(t.Context(), "bash", append([]string{script}, args...)...)
	command.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "HONUA_ADDRESS="+strings.Join(c.Addresses(), ","))
	out, err := command.CombinedOutput()
	return scripted{string(out), err}
}

// deploy/rolling-restart.sh upgrades a cluster over ssh: the program is put to each machine before its node is restarted,
// the leader's last. Of some nodes it restarts those alone, by a command of one's own.
func TestRollingRestartScript(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	c.AwaitServed("development", c.Repo.Commits()[0])
	programs, requests := t.TempDir(), t.TempDir()
	write(t, filepath.Join(programs, "ssh"), fmt.Sprintf(fakeSSH, programs, request(requests)), 0o755)
	write(t, filepath.Join(programs, "new"), "the new program", 0o755)
	if err := os.Symlink(harness.Binary(t), filepath.Join(programs, "honua")); err != nil {
		t.Fatal(err)
	}
	leader, before := c.Leader(), processes(c)
	restart := func(n *harness.Node) { n.Stop(); n.Start(); n.AwaitReady() }

	done := onRequest(t, c, requests, restart, func() scripted {
		return runScript(t, c, programs, "--binary", filepath.Join(programs, "new"), "--user", "ops", "--unit", "honua-gis", "--within", "1m")
	})
	if done.err != nil {
		t.Fatalf("%v\n%s", done.err, done.out)
	}
	calls := strings.Split(strings.TrimSpace(read(t, filepath.Join(programs, "calls"))), "\n")
	if len(calls) != 2*len(c.Nodes) || !strings.HasPrefix(calls[len(calls)-1], leader.ID+" ") {
		t.Errorf("ssh was called for\n%s", strings.Join(calls, "\n"))
	}
	for i, call := range calls {
		if want := []string{"ops@127.0.0.1 sudo install", "ops@127.0.0.1 sudo systemctl restart honua-gis"}[i%2]; !strings.Contains(call, want) {
			t.Errorf("call %d is %q, not %q", i, call, want)
		}
	}
	for i, n := range c.Nodes {
		if got := read(t, filepath.Join(programs, "installed-"+n.ID)); got != "the new program" || n.PID() == before[i] {
			t.Errorf("%s: %q was installed, its process is %d after %d", n.ID, got, n.PID(), before[i])
		}
	}

	before = processes(c)
	one := c.Nodes[1]
	done = onRequest(t, c, requests, restart, func() scripted { return runScript(t, c, programs, "--command", request(requests), one.ID) })
	after := processes(c)
	if done.err != nil || after[1] == before[1] || after[0] != before[0] || after[2] != before[2] {
		t.Errorf("of %s alone: %v, processes %v after %v\n%s", one.ID, done.err, after, before, done.out)
	}
}

func processes(c *harness.Cluster) (ids []int) {
	for _, n := range c.Nodes {
		ids = append(ids, n.PID())
	}
	return ids
}

// What the script cannot do it says before it does anything.
func TestRollingRestartScriptRefuses(t *testing.T) {
	t.Parallel()
	c := &harness.Cluster{}
	for want, args := range map[string][]string{
		"unknown flag: --all":           {"--all"},
		"--binary needs a value":        {"--binary"},
		"there is no program nowhere":   {"--honua", "nowhere"},
		"no program at /nowhere":        {"--honua", "true", "--binary", "/nowhere"},
		"have the command install the ": {"--honua", "true", "--binary", "bash", "--command", "true"},
	} {
		done := runScript(t, c, t.TempDir(), args...)
		var exit *exec.ExitError
		if !errors.As(done.err, &exit) || exit.ExitCode() != 1 || !strings.Contains(done.out, "rolling-restart.sh: ") || !strings.Contains(done.out, want) {
			t.Errorf("%v: %v\n%s", args, done.err, done.out)
		}
	}
	if done := runScript(t, c, t.TempDir(), "--help"); done.err != nil || !slices.Contains(strings.Fields(done.out), "--within") {
		t.Errorf("help: %v\n%s", done.err, done.out)
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
