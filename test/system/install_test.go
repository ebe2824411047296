//go:build system

package system

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	"github.com/honua-io/honua-gitops/test/gitserver"
	"github.com/honua-io/honua-gitops/test/harness"
)

const installer = "../../deploy/install.sh"

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// The unit is valid and keeps almost everything from the service.
func TestUnit(t *testing.T) {
	content, err := os.ReadFile("../../deploy/systemd/honua.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "honua.service")
	text := strings.ReplaceAll(string(content), "/usr/local/bin/honua", harness.Binary(t))
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := command(t, "systemd-analyze", "verify", "--man=no", unit); strings.Contains(out, "honua.service") {
		t.Error(out)
	}
	command(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
}

// install.sh makes a host as the runbook has it; the node then starts as its user, tells systemd that it is ready and
// alive, reads its log levels again, and stops in order.
func TestInstalledNode(t *testing.T) {
	root, install := installedRoot(t)
	owner := ownerOf(t, filepath.Join(root, "var/honua"))
	checkInstalled(t, root)
	settings := filepath.Join(root, "etc/honua/appsettings.Production.json")
	command(t, harness.Binary(t), "config", "check", settings)
	before := read(t, settings)
	if out := command(t, "bash", install...); !strings.Contains(out, "kept /etc/honua") || read(t, settings) != before {
		t.Errorf("installed again: %s", out)
	}

	node := startInstalled(t, root, owner)
	if got := node.hears("READY=1"); got != "READY=1" {
		t.Errorf("first heard %q", got)
	}
	node.hears("WATCHDOG=1")
	node.hears("STATUS=serving production (activation 1); leader node1")
	must(t, os.WriteFile(settings, []byte(strings.Replace(before, `"Information"`, `"Debug"`, 1)), 0o640))
	must(t, node.process.signal(syscall.SIGHUP))
	node.hears("RELOADING=1")
	node.logs("log levels were read again")
	node.logs("[Debug] Polling for changes on branch 'main'")
	must(t, node.process.Stop(syscall.SIGTERM))
	node.hears("STOPPING=1")
	if state, err := os.Stat(filepath.Join(root, "var/honua/deployments/production.json")); err != nil || state.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", state, err)
	}
}

// installedRoot is the root of a host with a node that nothing has started yet, and how it was installed.
func installedRoot(t *testing.T) (root string, install []string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("install.sh needs root")
	}
	root = t.TempDir()
	must(t, os.Chmod(filepath.Dir(root), 0o755))
	must(t, os.Chmod(root, 0o755))
	repository := harness.NewRepo(t, filepath.Join(t.TempDir(), "config"), "production")
	server := gitserver.New(t, repository.Dir)
	install = []string{
		installer, "--root", root, "--binary", harness.Binary(t), "--repository", server.URL + "/.git", "--node", "node1",
	}
	command(t, "bash", install...)
	must(t, scaffold.WriteCities(filepath.Join(root, "var/honua/data")))
	command(t, "chown", "-R", ownerOf(t, filepath.Join(root, "var/honua")), filepath.Join(root, "var/honua"))
	return root, install
}

// What root recovers is the node's, as it was: the node starts on it. A snapshot that root did write is not called damaged.
func TestRecoveredByRoot(t *testing.T) {
	const serving = "STATUS=serving production (activation 1); leader node1"
	root, _ := installedRoot(t)
	owner := ownerOf(t, filepath.Join(root, "var/honua"))
	node := startInstalled(t, root, owner)
	node.hears(serving)
	must(t, node.process.Stop(syscall.SIGTERM))
	recovery := []string{root, "/usr/local/bin/honua", "cluster", "recover", "--config", "/etc/honua/appsettings.Production.json", "--yes"}
	command(t, "chroot", recovery...)
	command(t, "chroot", append(recovery, "--skip", "4711:"+strings.Repeat("0", 64))...)
	user, _, _ := strings.Cut(owner, ":")
	if others := command(t, "find", filepath.Join(root, "var/honua"), "-not", "-uid", user); others != "" {
		t.Errorf("not the node's any more:\n%s", others)
	}
	node = startInstalled(t, root, owner)
	node.hears(serving)
	must(t, node.process.Stop(syscall.SIGTERM))

	seals, err := filepath.Glob(filepath.Join(root, "var/honua/cluster/snapshots/*/meta.sha256"))
	if err != nil || len(seals) == 0 {
		t.Fatalf("no snapshot was written: %v", err)
	}
	command(t, "chown", append([]string{"root:root"}, seals...)...)
	node = startInstalled(t, root, owner)
	node.logs("the data directory cannot be used: open " + strings.TrimPrefix(seals[0], root) + ": permission denied: let the user that the node runs as own")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return string(content)
}

// ownerOf is "uid:gid".
func ownerOf(t *testing.T, path string) string {
	t.Helper()
	return strings.TrimSpace(command(t, "stat", "-c", "%u:%g", path))
}

func checkInstalled(t *testing.T, root string) {
	t.Helper()
	for path, want := range map[string]string{
		"var/honua": "700", "var/honua/deployments": "700", "var/honua/approvals": "700", "var/honua/gitops-repo": "700", "var/honua/.ssh": "700",
		"etc/honua": "750", "etc/honua/appsettings.Production.json": "640", "etc/honua/honua.env": "600",
		"usr/local/bin/honua": "755", "etc/systemd/system/honua.service": "644",
	} {
		if got := strings.TrimSpace(command(t, "stat", "-c", "%a", filepath.Join(root, path))); got != want {
			t.Errorf("/%s has mode %s, not %s", path, got, want)
		}
		if own := ownerOf(t, filepath.Join(root, path)); strings.HasPrefix(path, "var/") == strings.HasPrefix(own, "0:") {
			t.Errorf("/%s belongs to %s", path, own)
		}
	}
}

// installed is the node of an installation, started as systemd would.
type installed struct {
	t       *testing.T
	conn    *net.UnixConn
	process supervised
	log     string
}

type supervised struct{ *harness.Process }

func (s supervised) signal(signal syscall.Signal) error { return syscall.Kill(s.PID, signal) }

func startInstalled(t *testing.T, root, owner string) *installed {
	t.Helper()
	socket := filepath.Join(root, "notify")
	must(t, os.RemoveAll(socket))
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, os.Chmod(socket, 0o666))
	must(t, os.MkdirAll(filepath.Join(root, "tmp"), 0o777))
	must(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755))
	must(t, os.MkdirAll(filepath.Join(root, "dev"), 0o755))
	must(t, os.Chmod(filepath.Join(root, "tmp"), 0o777))
	ports := harness.TakePorts(t)
	// A root of its own, a user of its own, no capabilities: what the static program needs of a host is what the unit leaves it.
	start := exec.Command("unshare", "--mount", "sh", "-c", `mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot --userspec="$2" "$1" \
		/usr/local/bin/honua server --config /etc/honua/appsettings.Production.json`, "sh", root, owner)
	start.Env = []string{
		"NOTIFY_SOCKET=/notify", "WATCHDOG_USEC=900000", "HOME=/var/honua", "GitOps__Watcher__PollIntervalSeconds=1",
		"GitOps__DeploymentPolicy__RequiresApproval=false", "GitOps__DeploymentPolicy__MinimumRiskLevelForApproval=Critical",
	}
	for i, key := range []string{"Api__GrpcAddress", "Cluster__RaftAddress", "Cluster__GossipAddress"} {
		start.Env = append(start.Env, fmt.Sprintf("%s=127.0.0.1:%d", key, ports.Base()+i))
	}
	start.Env = append(start.Env, fmt.Sprintf("Api__HttpAddress=127.0.0.1:%d", ports.HTTP()))
	log := filepath.Join(t.TempDir(), "log")
	process, err := harness.StartProcess(start, log)
	must(t, err)
	t.Cleanup(process.Kill)
	return &installed{t: t, conn: conn, process: supervised{process}, log: log}
}

// hears waits for a notification with a line in it, and returns it.
func (n *installed) hears(line string) string {
	n.t.Helper()
	must(n.t, n.conn.SetReadDeadline(time.Now().Add(harness.StartWithin)))
	buffer := make([]byte, 4096)
	var heard []string
	for {
		count, err := n.conn.Read(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			n.t.Fatalf("never heard %q, but\n%s\n%s", line, strings.Join(heard, "\n"), read(n.t, n.log))
		}
		must(n.t, err)
		if text := string(buffer[:count]); strings.Contains("\n"+text+"\n", "\n"+line+"\n") {
			return text
		}
		heard = append(heard, string(buffer[:count]))
	}
}

func (n *installed) logs(text string) {
	n.t.Helper()
	harness.Eventually(n.t, harness.StartWithin, func() error {
		if strings.Contains(read(n.t, n.log), text) {
			return nil
		}
		return fmt.Errorf("the log has no %q:\n%s", text, read(n.t, n.log))
	})
}
