package gitsync

import (
	"bytes"
	"errors"
	"strings"
)

var (
	errUnsigned   = errors.New("the commit is not signed")
	errSignedMore = errors.New("the commit has more than one signature")
)

// splitSignature takes a commit apart as Git does when it verifies one: what is signed is the
// commit without its signature, and without the one that a copy of it in a repository of
// SHA-256 would have.
func splitSignature(raw []byte) (signed []byte, signature string, err error) {
	header, message, found := bytes.Cut(raw, []byte("\n\n"))
	if bytes.HasPrefix(raw, []byte("\n")) { // the header ends at the first empty line, be it the very first
		header, message, found = nil, raw[1:], true
	}
	if !found {
		header = bytes.TrimSuffix(raw, []byte("\n"))
	}
	var kept bytes.Buffer
	var text strings.Builder
	in, count := "", 0
	for line := range bytes.SplitSeq(header, []byte("\n")) {
		rest, continued := bytes.CutPrefix(line, []byte(" "))
		if !continued {
			key, value, _ := bytes.Cut(line, []byte(" "))
			in, rest = string(key), value
			if in == "gpgsig" {
				count++
			}
		}
		switch in {
		case "gpgsig":
			text.Write(rest)
			text.WriteByte('\n')
		case "gpgsig-sha256":
		default:
			kept.Write(line)
			kept.WriteByte('\n')
		}
	}
	switch {
	case count == 0:
		return nil, "", errUnsigned
	case count > 1:
		return nil, "", errSignedMore
	}
	if found {
		kept.WriteByte('\n')
		kept.Write(message)
	}
	return kept.Bytes(), text.String(), nil
}
