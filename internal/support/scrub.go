package support

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

const redacted = "[redacted]"

// shortest is the least length of a text that is looked for: anything shorter
// is found everywhere and would take the rest with it.
const shortest = 4

// patterns are what looks like a secret whoever's it is: what a bundle is made
// of holds none, and this is for what somebody wrote where it does not belong.
func patterns() []pattern {
	return []pattern{
		{regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`), redacted},
		{regexp.MustCompile(`honua_[a-z2-7]{52}`), redacted},
		{regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`), redacted},
		{regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s"'<>@]+@`), "${1}" + redacted + "@"},
		{regexp.MustCompile(`(?i)\b(password|passwd|pwd)(\s*[=:]\s*)("[^"]+"|'[^']+'|[^\s;&,"'\[]+)`), "${1}${2}" + redacted},
		{regexp.MustCompile(`(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{8,}`), "${1} " + redacted},
	}
}

type pattern struct {
	find *regexp.Regexp
	put  string
}

// Scrubber takes secrets out of texts.
type Scrubber struct {
	known    [][]byte
	patterns []pattern
}

// NewScrubber knows these secrets, in the forms that messages give them, and
// what looks like one.
func NewScrubber(secrets ...string) *Scrubber {
	s := &Scrubber{patterns: patterns()}
	for _, secret := range secrets {
		if len(secret) < shortest {
			continue
		}
		quoted := strconv.Quote(secret)
		for _, form := range []string{
			secret, quoted[1 : len(quoted)-1], url.QueryEscape(secret), url.PathEscape(secret),
			url.UserPassword("", secret).String()[1:], hex.EncodeToString([]byte(secret)),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			s.known = append(s.known, []byte(form))
		}
	}
	// The longest first: a secret may begin with another one.
	slices.SortFunc(s.known, func(a, b []byte) int { return len(b) - len(a) })
	return s
}

// Scrub returns the text without secrets.
func (s *Scrubber) Scrub(text []byte) []byte {
	for _, secret := range s.known {
		text = bytes.ReplaceAll(text, secret, []byte(redacted))
	}
	for _, p := range s.patterns {
		text = p.find.ReplaceAll(text, []byte(p.put))
	}
	return text
}
