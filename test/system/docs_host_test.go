//go:build system

package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/pages"
)

// host is a machine of its own as far as its files and its network go. /etc, /var, /usr/local/bin and the module's folder are
// those of this machine, but what is written there goes with the test; /srv is what all hosts of a test share.
type host struct {
	t   *testing.T
	pid int
	// module is the folder of the module, where its shells begin.
	module string
}

const hostSetup = `
ip link set lo up
mount -t tmpfs tmpfs "$1"
number=0
for place in /etc /var /usr/local/bin "$2"; do
  mkdir -p "$1/upper$number" "$1/work$number" "$place"
  mount -t overlay overlay -o "lowerdir=$place,upperdir=$1/upper$number,workdir=$1/work$number" "$place"
  number=$((number + 1))
done
mkdir -p /srv
mount --bind "$3" /srv
mkdir -p /etc/honua /var/honua
rm -f /usr/local/bin/sudo
printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
chmod 755 /usr/local/bin/sudo
`

func newHost(t *testing.T, shared string) *host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("hosts with files and a network of their own need root")
	}
	dir := t.TempDir()
	process, err := harness.StartProcess(exec.Command("unshare", "--mount", "--net", "--propagation", "private", "sleep", "infinity"), filepath.Join(dir, "log"))
	must(t, err)
	t.Cleanup(process.Kill)
	h := &host{t: t, pid: process.PID, module: pages.Root(t)}
	harness.Eventually(t, harness.StartWithin, func() error {
		name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(h.pid), "comm"))
		if err == nil && strings.TrimSpace(string(name)) != "sleep" {
			err = errors.New("the namespaces are not made yet")
		}
		return err
	})
	files := filepath.Join(dir, "files")
	must(t, os.Mkdir(files, 0o755))
	command(t, "nsenter", append(h.enter(), "bash", "-euc", hostSetup, "-", files, h.module, shared)[1:]...)
	return h
}

// enter is what a command is put behind that is to be run on the host.
func (h *host) enter() []string { return []string{"nsenter", "-t", strconv.Itoa(h.pid), "-m", "-n"} }

// shell is one that begins in the module's folder of the host.
func (h *host) shell() *pages.Shell {
	return &pages.Shell{
		Wrap: append(h.enter(), "--wdns="+h.module),
		Env:  []string{"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com"},
	}
}

// run types a command into a shell of its own.
func (h *host) run(line string) string {
	h.t.Helper()
	out, err := h.shell().Run(h.t, line)
	must(h.t, err)
	return out
}

// typeAll types the commands of blocks, each block into a shell of its own.
func (h *host) typeAll(blocks []pages.Block) {
	h.t.Helper()
	for _, block := range blocks {
		shell := h.shell()
		for _, line := range block.Commands() {
			h.typed(block, shell, line)
		}
	}
}

// lasting are the commands that go on until Ctrl-C, and what they say when others can follow.
func lasting(line string) (says string, is bool) {
	for begin, says := range map[string]string{"make run": "\nready", "make dev-postgis": "PostgreSQL is ready", "honua server": "", "honua deployment watch": ""} {
		if strings.HasPrefix(line, begin) {
			return says, true
		}
	}
	return "", false
}

// typed types one command; what is asked over HTTP has to be there.
func (h *host) typed(block pages.Block, shell *pages.Shell, line string) {
	h.t.Helper()
	if says, is := lasting(line); is {
		h.start(shell, line, says)
		return
	}
	out, err := shell.Run(h.t, line)
	if err != nil || strings.HasPrefix(line, "curl") && (strings.TrimSpace(out) == "" || strings.Contains(out, "null\n")) {
		h.t.Errorf("%s: %s: %v\n%s", block.Place(), line, err, out)
	}
}

// startWithin is how long a command may take until it says that it is ready: make run builds the program first.
const startWithin = 5 * time.Minute

// interruptWithin is how long a command may take to end after Ctrl-C.
const interruptWithin = 30 * time.Second

// start types a command that lasts, and waits until it says something. When the test ends, it is ended as by Ctrl-C.
func (h *host) start(shell *pages.Shell, line, says string) {
	h.t.Helper()
	output := filepath.Join(h.t.TempDir(), "output")
	ctx := context.WithoutCancel(h.t.Context()) // which ends before what is cleaned up
	process, err := harness.StartProcess(shell.Command(ctx, line), output)
	must(h.t, err)
	h.t.Cleanup(func() {
		interrupt(h.t, process, line)
		if h.t.Failed() {
			h.t.Logf("%s said\n%s", line, tail(read(h.t, output)))
		}
	})
	harness.Eventually(h.t, startWithin, func() error {
		if said := read(h.t, output); !strings.Contains(said, says) {
			return fmt.Errorf("%s does not say %q", line, says)
		}
		return nil
	})
}

// interrupt does what Ctrl-C does: every process of the command gets the signal.
func interrupt(t *testing.T, process *harness.Process, line string) {
	t.Helper()
	if !process.Running() {
		t.Errorf("%s ended by itself", line)
		return
	}
	must(t, syscall.Kill(-process.PID, syscall.SIGINT))
	select {
	case <-process.Ended():
	case <-time.After(interruptWithin):
		process.Kill()
		t.Errorf("%s went on after Ctrl-C", line)
	}
}

func tail(text string) string {
	const most = 4000
	return text[max(0, len(text)-most):]
}

// connect gives hosts the addresses 10.0.0.1 and on, on one wire; it hangs on the first.
func connect(t *testing.T, hosts []*host) {
	t.Helper()
	hosts[0].run("ip link add wire type bridge && ip addr add 10.0.0.1/24 dev wire && ip link set wire up")
	for i, h := range hosts[1:] {
		hosts[0].run(fmt.Sprintf("ip link add to%[1]d type veth peer name eth0 netns %[2]d && ip link set to%[1]d master wire up", i+2, h.pid))
		h.run(fmt.Sprintf("ip addr add 10.0.0.%d/24 dev eth0 && ip link set eth0 up", i+2))
	}
}
