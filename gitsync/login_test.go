package gitsync

import (
	"errors"
	"strings"
	"testing"
)

func TestSplitLogin(t *testing.T) {
	for address, want := range map[string][3]string{
		"https://example.com/org/repo.git/":     {"https://example.com/org/repo.git/"},
		"https://example.com:8443/repo":         {"https://example.com:8443/repo"},
		"https://ada:s%2Fecret@example.com/r":   {"https://example.com/r", "ada", "s/ecret"},
		"http://token-secret@example.com:80/r/": {"http://example.com:80/r", "token-secret"},
		"https://:secret@example.com/r":         {"https://example.com/r", "", "secret"},
		"ssh://git@example.com/r":               {"ssh://git@example.com/r"},
		"git@example.com:r":                     {"git@example.com:r"},
		"file:///srv/config":                    {"file:///srv/config"},
		"config":                                {"config"},
		"":                                      {""},
	} {
		clean, username, password, err := SplitLogin(address)
		if got := [3]string{clean, username, password}; got != want || err != nil {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
	for _, address := range []string{
		"https://ada:secret@/r", "https://ada:sec/ret@example.com/r", "https://example.com/r?token=secret", "ftp://ada:secret@example.com/r",
		"ssh://ada:secret@example.com/r", "https://ada:%zzsecret@example.com/r", "ada:secret@example.com",
	} {
		clean, username, password, err := SplitLogin(address)
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", address, err)
		}
		if clean+username+password != "" && err != nil || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", address, clean+username+password, err)
		}
	}
}
