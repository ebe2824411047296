package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
)

// errAnswer is an answer that is not a good one.
var errAnswer = errors.New("not a good answer")

// wire is one connection that asks and reads, and does no more than it must: on two cores a whole HTTP client would
// take most of what the server is measured by.
type wire struct {
	connection net.Conn
	reader     *bufio.Reader
	host       string
}

func dialWire(ctx context.Context, host string) (*wire, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &wire{connection: connection, reader: bufio.NewReaderSize(connection, 64<<10), host: host}, nil
}

func (w *wire) close() { _ = w.connection.Close() }

// get asks for a path and reads the answer to its end.
func (w *wire) get(path string) error {
	if _, err := io.WriteString(w.connection, "GET "+path+" HTTP/1.1\r\nHost: "+w.host+"\r\n\r\n"); err != nil {
		return err
	}
	status, err := w.line()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return fmt.Errorf("%w: %s: %s", errAnswer, path, status)
	}
	length, err := w.header()
	if err != nil {
		return err
	}
	if length >= 0 {
		_, err = w.reader.Discard(length)
		return err
	}
	if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(w.reader)); err != nil {
		return err
	}
	_, err = w.line() // the end of the trailer
	return err
}

// header reads the header and returns the length of the body, -1 for one in chunks.
func (w *wire) header() (int, error) {
	length := 0
	for {
		line, err := w.line()
		if err != nil || line == "" {
			return length, err
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Content-Length":
			if length, err = strconv.Atoi(value); err != nil {
				return 0, fmt.Errorf("%w: %s", errAnswer, line)
			}
		case "Transfer-Encoding":
			length = -1
		}
	}
}

func (w *wire) line() (string, error) {
	line, err := w.reader.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err
}
