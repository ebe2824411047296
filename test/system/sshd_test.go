//go:build system

package system

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

// sshd is a real OpenSSH server on loopback, with keys of its own, that lets this user in.
type sshd struct {
	t       *testing.T
	dir     string
	port    int
	process *harness.Process
}

func newSSHD(t *testing.T) *sshd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("sshd needs root")
	}
	s := &sshd{t: t, dir: t.TempDir(), port: harness.TakePorts(t).Base()}
	// sshd does without it only if it is told at build time.
	s.must(os.MkdirAll("/run/sshd", 0o755))
	for _, key := range []string{"host", "client"} {
		s.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.path(key))
	}
	public, err := os.ReadFile(s.path("client.pub"))
	s.must(err)
	s.must(os.WriteFile(s.path("authorized_keys"), public, 0o600))
	s.knowHost(s.path("host.pub"))
	s.must(os.WriteFile(s.path("sshd_config"), []byte(fmt.Sprintf(`
Port %d
ListenAddress 127.0.0.1
HostKey %s
AuthorizedKeysFile %s
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
AcceptEnv GIT_PROTOCOL
`, s.port, s.path("host"), s.path("authorized_keys"))), 0o600))
	s.start()
	return s
}

func (s *sshd) path(name string) string { return filepath.Join(s.dir, name) }

// knowHost makes a public key the one that the nodes expect of the server.
func (s *sshd) knowHost(publicKey string) {
	s.t.Helper()
	content, err := os.ReadFile(publicKey)
	s.must(err)
	fields := strings.Fields(string(content))
	line := fmt.Sprintf("[127.0.0.1]:%d %s %s\n", s.port, fields[0], fields[1])
	s.must(os.WriteFile(s.path("known_hosts"), []byte(line), 0o600))
}

func (s *sshd) start() {
	s.t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
	}
	s.process, err = harness.StartProcess(exec.Command(program, "-D", "-e", "-f", s.path("sshd_config")), s.path("log"))
	if err != nil {
		s.t.Fatalf("%v: run test/system/install.sh", err)
	}
	s.t.Cleanup(s.stop)
	harness.Eventually(s.t, 10*time.Second, func() error {
		if !s.process.Running() {
			log, _ := os.ReadFile(s.path("log"))
			s.t.Fatalf("sshd ended: %s", log)
		}
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
}

func (s *sshd) stop() { s.process.Kill() }

// url is a repository's address on the server.
func (s *sshd) url(dir string) string {
	s.t.Helper()
	me, err := user.Current()
	s.must(err)
	return fmt.Sprintf("ssh://%s@127.0.0.1:%d%s", me.Username, s.port, dir)
}

func (s *sshd) run(program string, args ...string) {
	s.t.Helper()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: run test/system/install.sh\n%s", program, err, out)
	}
}

func (s *sshd) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
