package gitsync

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// packStream is a pack on its way, with what to close afterwards.
type packStream struct {
	io.Reader
	closer func() error
}

// Close ends the transfer.
func (p packStream) Close() error { return p.closer() }

// openPack reads the answer to a fetch up to the first byte of the pack.
func openPack(answer io.Reader, ad advertisement) (io.Reader, error) {
	if ad.version == 2 {
		return openSection(newPktReader(answer))
	}
	buffered := bufio.NewReader(answer)
	lines := newPktReader(buffered)
	if err := skipAcknowledgements(buffered, lines); err != nil {
		return nil, err
	}
	if _, ok := ad.capabilities["side-band-64k"]; ok {
		return &sideband{lines: lines}, nil
	}
	return buffered, nil
}

// skipAcknowledgements reads the NAK, or one ACK or more, with which an answer of version 0
// begins. Nothing marks their end, so each line is looked at before it is read.
func skipAcknowledgements(buffered *bufio.Reader, lines *pktReader) error {
	for first := true; ; first = false {
		start, err := buffered.Peek(8)
		if err != nil {
			return streamError(err)
		}
		text := string(start[4:])
		acknowledgement := strings.HasPrefix(text, "NAK") || strings.HasPrefix(text, "ACK ")
		if !acknowledgement && !first {
			return nil
		}
		if _, _, err := lines.next(); err != nil { // the server's ERR line, too
			return err
		}
		if !acknowledgement {
			return fmt.Errorf("%w: neither ACK nor NAK", ErrGarbage)
		}
	}
}

// openSection skips to the section that holds the pack.
func openSection(lines *pktReader) (io.Reader, error) {
	for {
		line, kind, err := lines.next()
		switch {
		case err != nil:
			return nil, err
		case kind == pktFlush || kind == pktEnd:
			return nil, fmt.Errorf("%w: no pack", ErrGarbage)
		case kind == pktData && string(line) == "packfile":
			return &sideband{lines: lines}, nil
		case kind == pktData && string(line) == "shallow-info":
			return nil, fmt.Errorf("%w: it is a shallow clone", ErrUnsupported)
		}
	}
}

// sideband reads the pack out of a multiplexed answer, and stops at the server's errors.
type sideband struct {
	lines *pktReader
	rest  []byte
	err   error
}

// Read implements io.Reader.
func (s *sideband) Read(p []byte) (int, error) {
	for len(s.rest) == 0 && s.err == nil {
		s.fill()
	}
	if s.err != nil {
		return 0, s.err
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *sideband) fill() {
	line, kind, err := s.lines.raw()
	switch {
	case err != nil:
		s.err = err
	case kind != pktData:
		s.err = io.EOF
	case len(line) == 0:
		s.err = fmt.Errorf("%w: an empty packet in the pack", ErrGarbage)
	case line[0] == 1:
		s.rest = line[1:]
	case line[0] == 2: // progress
	case line[0] == 3:
		s.err = serverError(string(line[1:]))
	default:
		s.err = fmt.Errorf("%w: channel %d in the pack", ErrGarbage, line[0])
	}
}
