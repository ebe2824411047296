package gitsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// sshHead asks over SSH. Each poll is a connection of its own.
type sshHead struct{ remote remote }

func (s sshHead) close() {}

// head implements headReader.
func (s sshHead) head(ctx context.Context, branch string, login secrets) (string, error) {
	session, err := dialSSH(ctx, s.remote, login)
	if err != nil {
		return "", err
	}
	defer session.close()
	scan := refScan{branch: branch}
	ad, err := readAdvertisement(&boundedReader{from: session.out, left: pollAnswerBytes}, &scan)
	if err != nil {
		return "", session.explain(err)
	}
	if ad.version != 2 {
		return scan.result()
	}
	return listBranch(ctx, session.ask, branch)
}

// sshSession is one git-upload-pack on the server. It ends when the context that it was
// dialled with does.
type sshSession struct {
	conn    net.Conn
	client  *ssh.Client
	session *ssh.Session
	in      io.WriteCloser
	out     io.Reader
	said    *saying
	release func() bool
}

const dialTimeout = 10 * time.Second

// dialSSH connects and starts git-upload-pack, asking for protocol version 2; a server that
// does not take the variable speaks version 0.
func dialSSH(ctx context.Context, r remote, login secrets) (*sshSession, error) {
	auth, err := newSSHAuth(r, login)
	if err != nil {
		return nil, err
	}
	defer auth.close()
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s := &sshSession{conn: conn, said: &saying{}}
	s.release = context.AfterFunc(ctx, func() { conn.Close() })
	if err := s.start(auth, r); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *sshSession) start(auth *sshAuth, r remote) error {
	transport, channels, requests, err := ssh.NewClientConn(s.conn, r.address, auth.config)
	if err != nil {
		return auth.explain(err)
	}
	s.client = ssh.NewClient(transport, channels, requests)
	if s.session, err = s.client.NewSession(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.session.Stderr = s.said
	if s.in, err = s.session.StdinPipe(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if s.out, err = s.session.StdoutPipe(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	_ = s.session.Setenv("GIT_PROTOCOL", "version=2") // refused by many servers, which is fine
	if err := s.session.Start("git-upload-pack " + shellQuote(r.path)); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// ask sends a request within the session.
func (s *sshSession) ask(_ context.Context, request string) (io.ReadCloser, error) {
	if _, err := io.WriteString(s.in, request); err != nil {
		return nil, s.explain(fmt.Errorf("%w: %w", ErrUnavailable, err))
	}
	return io.NopCloser(s.out), nil
}

// explain adds what the server wrote to its error output before it ended early: one without the
// repository says so there.
func (s *sshSession) explain(err error) error {
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	_ = s.in.Close()
	_ = s.session.Wait() // until all of it has arrived, or the context ends
	if text := s.said.String(); text != "" {
		return serverError(text)
	}
	return err
}

func (s *sshSession) close() {
	s.release()
	if s.client != nil {
		_ = s.client.Close()
	}
	s.conn.Close()
}

// shellQuote quotes a path for the shell that the server runs the command with.
func shellQuote(path string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}
