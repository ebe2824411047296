package main

import (
	"errors"
	"io"
	"log/slog"
	"net"

	"google.golang.org/grpc/credentials"
)

// loggedHandshakes says in the log why a connection to the gRPC port was refused.
type loggedHandshakes struct {
	credentials.TransportCredentials
	log *slog.Logger
}

// ServerHandshake makes the handshake; grpc-go bounds its time.
func (l *loggedHandshakes) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := l.TransportCredentials.ServerHandshake(conn)
	if err != nil && !errors.Is(err, io.EOF) { // a port that is only looked at is no news
		l.log.Warn("gRPC connection refused", "remote", conn.RemoteAddr().String(), "error", err)
	}
	return secured, info, err
}

// Clone keeps the log.
func (l *loggedHandshakes) Clone() credentials.TransportCredentials {
	return &loggedHandshakes{TransportCredentials: l.TransportCredentials.Clone(), log: l.log}
}
