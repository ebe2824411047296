//go:build linux

// Package postgres runs a real PostgreSQL with PostGIS for tests, measurements and development: Debian's, in a folder
// of its own, on loopback, as the user postgres where the caller is root.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// What every server has.
const (
	// Programs is where Debian keeps PostgreSQL 15.
	Programs = "/usr/lib/postgresql/15/bin"
	// Admin is the superuser; its password is AdminPassword.
	Admin         = "postgres"
	AdminPassword = "not-a-secret"
)

// startWithin is how long a server may take until it answers, stopWithin until it has ended.
const (
	startWithin = time.Minute
	stopWithin  = 20 * time.Second
	lookEvery   = 50 * time.Millisecond
)

// ErrMissing says that PostgreSQL or PostGIS is not installed.
var ErrMissing = errors.New("PostgreSQL 15 with PostGIS is not installed: run test/system/install.sh")

// Server is one PostgreSQL server.
type Server struct {
	Dir  string
	Port int

	process *exec.Cmd
	ended   chan struct{}
}

// New initialises a server in a folder, unless one is there already, and starts it. A port of 0 means a free one.
func New(ctx context.Context, dir string, port int) (*Server, error) {
	if _, err := os.Stat(filepath.Join(Programs, "initdb")); err != nil {
		return nil, ErrMissing
	}
	if port == 0 {
		var err error
		if port, err = freePort(ctx); err != nil {
			return nil, err
		}
	}
	s := &Server{Dir: dir, Port: port}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}

// PID is the server's first process; the others are its children. 0 while it does not run.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }

// prepare makes the data folder, and gives it to the user that may run it.
func (s *Server) prepare(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.data(), "PG_VERSION")); err == nil {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	password := filepath.Join(s.Dir, "password")
	if err := os.WriteFile(password, []byte(AdminPassword+"\n"), 0o600); err != nil {
		return err
	}
	for _, path := range []string{s.Dir, password} {
		if err := give(path); err != nil {
			return err
		}
	}
	out, err := s.command(ctx, "initdb", "-D", s.data(), "-U", Admin, "-A", "scram-sha-256", "--pwfile", password,
		"-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// command runs as the user postgres where the caller is root: PostgreSQL refuses to run as that.
func (s *Server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(Programs, program), args...)
	c.Dir = s.Dir
	c.SysProcAttr = &syscall.SysProcAttr{}
	if account, err := owner(); err == nil && account != nil {
		c.SysProcAttr.Credential = account
	}
	return c
}

// owner is who runs the server; nil for whoever the caller is.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, ErrMissing
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
}

func give(path string) error {
	account, err := owner()
	if err != nil || account == nil {
		return err
	}
	return os.Chown(path, int(account.Uid), int(account.Gid))
}

// Start starts the server and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	// Nothing outlives the test: what a crash would lose need not be safe.
	s.process = s.command(context.WithoutCancel(ctx), "postgres", "-D", s.data(), "-p", strconv.Itoa(s.Port), "-k", s.Dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=100", "-c", "jit=off")
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return err
	}
	process, ended := s.process, make(chan struct{})
	s.ended = ended
	go func() {
		_ = process.Wait() // how it ended is in its log
		close(ended)
	}()
	return s.await(ctx)
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL(Admin, AdminPassword, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended; its log is %s", filepath.Join(s.Dir, "log"))
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(lookEvery):
		}
	}
}

// Stop ends the server with its connections, as `pg_ctl stop -m fast` does, and waits.
func (s *Server) Stop() error { return s.end(syscall.SIGINT) }

// Kill ends the server at once, as a crash does: no session lets go of its locks for another one to go on.
func (s *Server) Kill() error { return s.end(syscall.SIGQUIT) }

// Freeze stops the server's processes without ending them: it accepts connections and says nothing.
func (s *Server) Freeze() error { return s.process.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error { return s.process.Process.Signal(syscall.SIGCONT) }

func (s *Server) end(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		s.process = nil
		return nil
	case <-time.After(stopWithin):
		if signal == syscall.SIGQUIT {
			return errors.New("the server does not end")
		}
		return s.end(syscall.SIGQUIT)
	}
}

// URL is the postgres:// form of a connection.
func (s *Server) URL(user, password, database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", user, password, s.Port, database)
}

// Net is the .NET form of a connection.
func (s *Server) Net(user, password, database string) string {
	return fmt.Sprintf("Host=127.0.0.1;Port=%d;Database=%s;Username=%s;Password=%s;SSL Mode=Disable", s.Port, database, user, password)
}

// Socket is the .NET form of a connection over the server's Unix socket.
func (s *Server) Socket(user, password, database string) string {
	return fmt.Sprintf("Host=%s;Port=%d;Database=%s;Username=%s;Password=%s", s.Dir, s.Port, database, user, password)
}

// Run runs SQL in a database as its superuser.
func (s *Server) Run(ctx context.Context, database, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL(Admin, AdminPassword, database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

func freePort(ctx context.Context) (int, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, text, err := net.SplitHostPort(listener.Addr().String())
	if err = errors.Join(err, listener.Close()); err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}
