package gitserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSH is a server that runs git-upload-pack for one key.
type SSH struct {
	// Address is "host:port".
	Address string
	// KeyFile is the private key that the server accepts; KnownHosts lists the server's own.
	KeyFile, KnownHosts string

	config   *ssh.ServerConfig
	listener net.Listener
	work     sync.WaitGroup

	mu       sync.Mutex
	open     map[net.Conn]bool
	version0 bool
}

// NewSSH starts a server. It ends with the test.
func NewSSH(t testing.TB) *SSH {
	t.Helper()
	dir := t.TempDir()
	host := newSigner(t, "")
	s := &SSH{
		KeyFile:    filepath.Join(dir, "id_ed25519"),
		KnownHosts: filepath.Join(dir, "known_hosts"),
		open:       map[net.Conn]bool{},
	}
	allowed := string(newSigner(t, s.KeyFile).PublicKey().Marshal())
	s.config = &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != allowed {
				return nil, os.ErrPermission
			}
			return nil, nil
		},
	}
	s.config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener, s.Address = listener, listener.Addr().String()
	line := knownhosts.Line([]string{s.Address}, host.PublicKey()) + "\n"
	if err := os.WriteFile(s.KnownHosts, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	s.work.Go(s.accept)
	t.Cleanup(s.stop)
	return s
}

// newSigner makes a key, and stores it if file is not empty.
func newSigner(t testing.TB, file string) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if file != "" {
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// NewKey stores a new private key that no server knows in file.
func NewKey(t testing.TB, file string) { newSigner(t, file) }

// SpeakVersion0 makes the server refuse to pass the client's protocol version on.
func (s *SSH) SpeakVersion0() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version0 = true
}

func (s *SSH) stop() {
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
}

func (s *SSH) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[conn] = true
		s.mu.Unlock()
		s.work.Go(func() {
			s.serve(conn)
			conn.Close()
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		})
	}
}

func (s *SSH) serve(conn net.Conn) {
	server, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	defer server.Close()
	s.work.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, wishes, err := offered.Accept()
		if err != nil {
			return
		}
		s.work.Go(func() { s.session(channel, wishes) })
	}
}

func (s *SSH) session(channel ssh.Channel, wishes <-chan *ssh.Request) {
	defer channel.Close()
	var environment []string
	for wish := range wishes {
		switch wish.Type {
		case "env":
			var variable struct{ Name, Value string }
			_ = ssh.Unmarshal(wish.Payload, &variable)
			s.mu.Lock()
			accepted := !s.version0 && variable.Name == "GIT_PROTOCOL"
			s.mu.Unlock()
			if accepted {
				environment = append(environment, variable.Name+"="+variable.Value)
			}
			_ = wish.Reply(accepted, nil)
		case "exec":
			var command struct{ Line string }
			_ = ssh.Unmarshal(wish.Payload, &command)
			_ = wish.Reply(true, nil)
			status := s.run(channel, command.Line, environment)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
			return
		default:
			_ = wish.Reply(false, nil)
		}
	}
}

// run executes git-upload-pack, and nothing else.
func (s *SSH) run(channel ssh.Channel, line string, environment []string) int {
	path, ok := strings.CutPrefix(line, "git-upload-pack '")
	path, closed := strings.CutSuffix(path, "'")
	if !ok || !closed {
		return 127
	}
	cmd := exec.Command("git", "-c", "safe.directory=*", "upload-pack", path)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	in, err := cmd.StdinPipe()
	if err != nil {
		return 1
	}
	if err := cmd.Start(); err != nil {
		return 1
	}
	s.work.Go(func() { // ends with the channel
		defer in.Close()
		_, _ = io.Copy(in, channel)
	})
	if err := cmd.Wait(); err != nil {
		return cmd.ProcessState.ExitCode()
	}
	return 0
}
