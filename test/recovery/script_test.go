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
	"github.com/honua-io/honua-gitops/test/pages"
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

// rolled is a cluster on whose operator's machine ssh and a script of the operator's own have the test restart nodes.
type rolled struct {
	*harness.Cluster
	t                  *testing.T
	shell              *pages.Shell
	programs, requests string
}

func newRolled(t *testing.T) *rolled {
	t.Helper()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	c.AwaitServed("development", c.Repo.Commits()[0])
	shell, programs := machine(t, c, c.Nodes[0])
	r := &rolled{c, t, shell, programs, t.TempDir()}
	shell.Dir = t.TempDir()
	if err := errors.Join(os.Symlink(filepath.Join(pages.Root(t), "deploy"), filepath.Join(shell.Dir, "deploy")), os.Mkdir(filepath.Join(shell.Dir, "bin"), 0o700)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(shell.Dir, "bin", "honua"), "the new program", 0o755)
	write(t, filepath.Join(shell.Dir, "restart.sh"), "#!/bin/sh\nHONUA_NODE=$1\n"+request(r.requests)+"\n", 0o755)
	write(t, filepath.Join(programs, "ssh"), fmt.Sprintf(fakeSSH, programs, request(r.requests)), 0o755)
	return r
}

// run types a command and returns which nodes it restarted, in order, and what ssh was told.
func (r *rolled) run(command string) (restarted, calls []string) {
	r.t.Helper()
	path := filepath.Join(r.programs, "calls")
	write(r.t, path, "", 0o600)
	restart := func(n *harness.Node) {
		n.Stop()
		n.Start()
		n.AwaitReady()
		restarted = append(restarted, n.ID)
	}
	if err := onRequest(r.t, r.Cluster, r.requests, restart, func() error { _, err := r.shell.Run(r.t, command); return err }); err != nil {
		r.t.Fatal(err)
	}
	return restarted, strings.Split(strings.TrimSpace(read(r.t, path)), "\n")
}

// What the documentation says of rolling restarts works: an upgrade over ssh puts the program to each machine before its
// node is restarted; the leader is the last; of some nodes those alone are restarted, by a command of one's own.
func TestDocumentedRollingRestarts(t *testing.T) {
	t.Parallel()
	r := newRolled(t)
	for _, block := range pages.Marked(t, "rolling") {
		for _, command := range block.Commands() {
			leader := r.Leader()
			restarted, calls := r.run(command)
			want := []string{"127.0.0.1 sudo systemctl restart honua"}
			switch {
			case strings.Contains(command, "--binary"):
				want = append([]string{"127.0.0.1 sudo install"}, want...)
				r.checkInstalled()
			case strings.Contains(command, " node2 node3"):
				if slices.Sort(restarted); !slices.Equal(restarted, []string{"node2", "node3"}) {
					t.Errorf("%s restarted %v", command, restarted)
				}
				continue
			}
			if len(restarted) != 3 || restarted[2] != leader.ID || len(calls) != 3*len(want) {
				t.Errorf("%s: led by %s, %v were restarted; ssh was called for\n%s", command, leader.ID, restarted, strings.Join(calls, "\n"))
			}
			for i, call := range calls {
				if !strings.Contains(call, want[i%len(want)]) {
					t.Errorf("%s: call %d is %q, not %q", command, i, call, want[i%len(want)])
				}
			}
		}
	}
}

func (r *rolled) checkInstalled() {
	r.t.Helper()
	for _, n := range r.Nodes {
		if got := read(r.t, filepath.Join(r.programs, "installed-"+n.ID)); got != "the new program" {
			r.t.Errorf("%s: %q was installed", n.ID, got)
		}
	}
}

// Who logs in and what the unit is called goes into the command that is run for each node.
func TestRollingRestartScriptOfAnotherUnit(t *testing.T) {
	t.Parallel()
	honua := filepath.Join(t.TempDir(), "honua")
	write(t, honua, "#!/bin/sh\necho \"$@\"\n", 0o755)
	done := runScript(t, &harness.Cluster{}, t.TempDir(), "--honua", honua, "--binary", honua, "--user", "ops", "--unit", "honua-gis", "node2")
	if done.err != nil || !contains(done.out, `ssh "ops@${HONUA_HOST}" 'sudo install`, `ssh "ops@${HONUA_HOST}" sudo systemctl restart honua-gis node2`) {
		t.Errorf("%v\n%s", done.err, done.out)
	}
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
