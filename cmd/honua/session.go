package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/honua-io/honua-gitops/internal/client"
)

// session is what a command line runs with: its streams, its environment and the flags that all commands share.
type session struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	// live is set if err is a terminal, on which progress may be redrawn.
	live bool
	// colour is set if out is a terminal that wants it.
	colour bool
	flags  globalFlags

	connection *client.Client
}

func newSession(in io.Reader, out, err io.Writer, env func(string) string) *session {
	dumb := env("TERM") == "dumb"
	return &session{
		in: in, out: out, err: err, env: env,
		live:   isTerminal(err) && !dumb,
		colour: isTerminal(out) && !dumb && env("NO_COLOR") == "",
	}
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// client returns the connection to the cluster that the flags name.
func (s *session) client() (*client.Client, error) {
	if s.connection != nil {
		return s.connection, nil
	}
	addresses, err := client.ParseAddresses(s.flags.address)
	if err != nil {
		return nil, err
	}
	s.connection, err = s.clientOf(addresses)
	return s.connection, err
}

// clientOf returns a connection of its own to the nodes at these addresses.
func (s *session) clientOf(addresses []string) (*client.Client, error) {
	tls, err := client.LoadTLS(s.flags.ca, s.flags.cert, s.flags.key)
	if err != nil {
		return nil, err
	}
	return client.New(client.Config{Addresses: addresses, TLS: tls, Token: s.token(), Timeout: s.flags.forCall()})
}

// token is the token that calls carry; "" for none.
func (s *session) token() string {
	if s.flags.token != "" {
		return s.flags.token
	}
	return s.env(envToken)
}

// call runs one request against the cluster.
func (s *session) call(ctx context.Context, request func(context.Context, *client.Client) error) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.flags.forCall())
	defer cancel()
	return request(ctx, c)
}

func (s *session) close() {
	if s.connection != nil {
		s.connection.Close()
	}
}
