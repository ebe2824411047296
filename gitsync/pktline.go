package gitsync

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// pktKind tells data from the protocol's three markers.
type pktKind int

const (
	pktData pktKind = iota
	pktFlush
	pktDelim
	pktEnd
)

const maxPktBytes = 65520

// pktReader reads Git's pkt-line framing. The slice that next returns is valid until the
// following call.
type pktReader struct {
	from   io.Reader
	buffer [maxPktBytes]byte
}

func newPktReader(from io.Reader) *pktReader { return &pktReader{from: from} }

// next returns one line with its trailing newline removed. A server's ERR line is an error;
// so is the end of the stream: each caller knows which marker ends what it reads.
func (p *pktReader) next() ([]byte, pktKind, error) {
	raw, kind, err := p.raw()
	if err != nil || kind != pktData {
		return nil, kind, err
	}
	if n := len(raw); n > 0 && raw[n-1] == '\n' {
		raw = raw[:n-1]
	}
	if text, ok := strings.CutPrefix(string(raw[:min(len(raw), 300)]), "ERR "); ok {
		return nil, pktData, serverError(text)
	}
	return raw, pktData, nil
}

// raw returns one line as it is.
func (p *pktReader) raw() ([]byte, pktKind, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.from, head[:]); err != nil {
		return nil, pktData, streamError(err)
	}
	size, ok := parseHex4(head)
	if !ok {
		return nil, pktData, fmt.Errorf("%w: not a pkt-line: %q", ErrGarbage, head[:])
	}
	switch {
	case size <= int(pktEnd)-1:
		return nil, pktKind(size + 1), nil
	case size < 4 || size > maxPktBytes:
		return nil, pktData, fmt.Errorf("%w: pkt-line of length %d", ErrGarbage, size)
	}
	body := p.buffer[:size-4]
	if _, err := io.ReadFull(p.from, body); err != nil {
		return nil, pktData, streamError(err)
	}
	return body, pktData, nil
}

func parseHex4(head [4]byte) (int, bool) {
	size := 0
	for _, c := range head {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		size = size<<4 | digit
	}
	return size, true
}

// streamError tells an answer that ended early from one that could not be read.
func streamError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early: %w", ErrGarbage, io.ErrUnexpectedEOF)
	}
	var known *failure
	if errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// serverError wraps what the server says about itself, made printable.
func serverError(text string) error {
	if strings.Contains(text, "not our ref") {
		return fmt.Errorf("%w: the server says %s", ErrCommitNotFound, printable(strings.TrimSpace(text)))
	}
	return fmt.Errorf("%w: the server says %s", ErrUnavailable, printable(strings.TrimSpace(text)))
}

// pktWriter builds a request. It is a strings.Builder, so that a request can be sent twice.
type pktWriter struct{ strings.Builder }

func (w *pktWriter) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...) + "\n"
	fmt.Fprintf(w, "%04x%s", len(text)+4, text)
}

func (w *pktWriter) flush() { w.WriteString("0000") }
func (w *pktWriter) delim() { w.WriteString("0001") }
