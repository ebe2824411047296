package gitsync

import (
	"fmt"
	"io"
	"strings"
)

const (
	// pollAnswerBytes bounds the answer to a poll: enough for 100,000 branches of an older server.
	pollAnswerBytes = 16 * mib
	maxCapabilities = 256
)

// refScan looks for one branch among the refs that a server lists.
type refScan struct {
	branch string
	commit string
	// others is set if any other branch was listed.
	others bool
}

// add takes one listed ref.
func (s *refScan) add(sha, name string) error {
	if !isSHA(sha) {
		if len(sha) == 64 && strings.Trim(sha, "0123456789abcdef") == "" {
			return fmt.Errorf("%w: it uses SHA-256 object names", ErrUnsupported)
		}
		return fmt.Errorf("%w: %q is not an object name", ErrGarbage, sha)
	}
	short, isBranch := strings.CutPrefix(name, "refs/heads/")
	switch {
	case !isBranch:
	case short != s.branch:
		s.others = true
	case s.commit != "" && s.commit != sha:
		return fmt.Errorf("%w: branch %q is listed twice", ErrGarbage, s.branch)
	default:
		s.commit = sha
	}
	return nil
}

// result says what a complete listing means.
func (s *refScan) result() (string, error) {
	switch {
	case s.commit != "":
		return s.commit, nil
	case s.others:
		return "", ErrBranchNotFound
	default:
		return "", ErrEmptyRepository
	}
}

// advertisement is what a server says first.
type advertisement struct {
	// version of the protocol that the server speaks: 2, or 0, which lists the refs at once.
	version      int
	capabilities map[string]string
}

func (a *advertisement) add(capability string) error {
	if len(a.capabilities) >= maxCapabilities {
		return fmt.Errorf("%w: too many capabilities", ErrGarbage)
	}
	name, value, _ := strings.Cut(capability, "=")
	a.capabilities[name] = value
	return nil
}

// check refuses what cannot be read.
func (a *advertisement) check() error {
	if format := a.capabilities["object-format"]; format != "" && format != "sha1" {
		return fmt.Errorf("%w: it uses %s object names", ErrUnsupported, printable(format))
	}
	if a.version == 2 {
		for _, command := range []string{"ls-refs", "fetch"} {
			if _, ok := a.capabilities[command]; !ok {
				return fmt.Errorf("%w: no %s command", ErrGarbage, command)
			}
		}
	}
	return nil
}

// readAdvertisement reads a server's first answer. Where the server speaks version 0, the refs
// go to scan.
func readAdvertisement(from io.Reader, scan *refScan) (advertisement, error) {
	lines := newPktReader(from)
	ad := advertisement{capabilities: map[string]string{}}
	line, kind, err := lines.next()
	if err == nil && strings.HasPrefix(string(line), "# service=") {
		if _, kind, err = lines.next(); err == nil && kind != pktFlush {
			err = fmt.Errorf("%w: no flush after the service line", ErrGarbage)
		}
		if err == nil {
			line, kind, err = lines.next()
		}
	}
	if err != nil {
		return ad, err
	}
	switch {
	case kind == pktFlush: // version 0, no refs
		return ad, nil
	case kind != pktData:
		return ad, fmt.Errorf("%w: unexpected marker", ErrGarbage)
	case string(line) == "version 2":
		ad.version = 2
		err = readCapabilities(lines, &ad)
	default:
		err = readRefs(lines, line, &ad, scan)
	}
	if err != nil {
		return ad, err
	}
	return ad, ad.check()
}

func readCapabilities(lines *pktReader, ad *advertisement) error {
	for {
		line, kind, err := lines.next()
		switch {
		case err != nil:
			return err
		case kind == pktFlush:
			return nil
		case kind != pktData:
			return fmt.Errorf("%w: unexpected marker", ErrGarbage)
		}
		if err := ad.add(string(line)); err != nil {
			return err
		}
	}
}

// readRefs reads the list of version 0 (and 1); line is the first of it.
func readRefs(lines *pktReader, line []byte, ad *advertisement, scan *refScan) error {
	first := true
	var kind pktKind
	var err error
	if string(line) == "version 1" {
		line, kind, err = lines.next()
	}
	for ; ; line, kind, err = lines.next() {
		switch {
		case err != nil:
			return err
		case kind == pktFlush:
			return nil
		case kind != pktData:
			return fmt.Errorf("%w: unexpected marker", ErrGarbage)
		}
		text := string(line)
		if first {
			var capabilities string
			text, capabilities, _ = strings.Cut(text, "\x00")
			for capability := range strings.FieldsSeq(capabilities) {
				if err := ad.add(capability); err != nil {
					return err
				}
			}
			first = false
		}
		if err := readRef(text, scan); err != nil {
			return err
		}
	}
}

func readRef(text string, scan *refScan) error {
	sha, name, ok := strings.Cut(text, " ")
	switch {
	case sha == "shallow":
		return fmt.Errorf("%w: it is a shallow clone", ErrUnsupported)
	case !ok:
		return fmt.Errorf("%w: %q is not a ref", ErrGarbage, printable(text))
	case name == "capabilities^{}": // stands for "no refs"
		return nil
	}
	return scan.add(sha, name)
}

// listRequest asks a version 2 server for the refs that begin with prefix.
func listRequest(prefix string) string {
	var w pktWriter
	w.line("command=ls-refs")
	w.line("agent=honua")
	w.line("object-format=sha1")
	w.delim()
	w.line("ref-prefix %s", prefix)
	w.flush()
	return w.String()
}

// readListing reads the answer to listRequest into scan.
func readListing(from io.Reader, scan *refScan) error {
	lines := newPktReader(from)
	for {
		line, kind, err := lines.next()
		switch {
		case err != nil:
			return err
		case kind == pktFlush:
			return nil
		case kind != pktData:
			return fmt.Errorf("%w: unexpected marker", ErrGarbage)
		}
		sha, rest, ok := strings.Cut(string(line), " ")
		if !ok {
			return fmt.Errorf("%w: %q is not a ref", ErrGarbage, printable(string(line)))
		}
		if sha == "unborn" {
			continue
		}
		name, _, _ := strings.Cut(rest, " ") // attributes follow
		if err := scan.add(sha, name); err != nil {
			return err
		}
	}
}
