package gitsync

import (
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
	lines := newPktReader(answer)
	if ad.version == 2 {
		return openSection(lines)
	}
	line, kind, err := lines.next()
	if err != nil {
		return nil, err
	}
	if text := string(line); kind != pktData || (text != "NAK" && !strings.HasPrefix(text, "ACK ")) {
		return nil, fmt.Errorf("%w: neither ACK nor NAK", ErrGarbage)
	}
	if _, ok := ad.capabilities["side-band-64k"]; ok {
		return &sideband{lines: lines}, nil
	}
	return answer, nil
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
