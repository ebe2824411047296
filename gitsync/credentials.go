package gitsync

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
)

// Credentials identify this program to the Git server. Username and Password may hold
// ${NAME} and ${file:PATH}: they are expanded each time they are used, so that a rotated
// secret is picked up, and only the unexpanded text is kept.
type Credentials struct {
	// Username is for HTTP; "git" if only a password (a token) is given. Over SSH the URL names the user.
	Username string
	// Password is for HTTP; over SSH it opens an encrypted key file.
	Password string
	// SSHKeyFile is a private key; if "", the agent and then the keys in ~/.ssh are tried.
	SSHKeyFile string
	// SSHKnownHostsFile lists trusted host keys; if "", ~/.ssh/known_hosts and the system's file.
	SSHKnownHostsFile string
}

const redacted = "[redacted]"

// String names the files and hides the secrets.
func (c Credentials) String() string {
	return fmt.Sprintf("{Username:%s Password:%s SSHKeyFile:%s SSHKnownHostsFile:%s}",
		hide(c.Username), hide(c.Password), c.SSHKeyFile, c.SSHKnownHostsFile)
}

// GoString hides the secrets from %#v as well.
func (c Credentials) GoString() string { return "gitsync.Credentials" + c.String() }

// LogValue hides the secrets from structured logs.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText hides the secrets from encoders, JSON among them.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func hide(secret string) string {
	if secret == "" {
		return ""
	}
	return redacted
}

// secrets are expanded credentials. They exist in memory, and on a pipe to the child, only.
type secrets struct {
	username, password      string
	keyFile, knownHostsFile string
}

func (c Credentials) expand() (secrets, error) {
	username, err := expand("GitOps.Credentials.Username", c.Username)
	if err != nil {
		return secrets{}, err
	}
	password, err := expand("GitOps.Credentials.Password", c.Password)
	if err != nil {
		return secrets{}, err
	}
	if username == "" && password != "" {
		username = "git"
	}
	return secrets{username, password, c.SSHKeyFile, c.SSHKnownHostsFile}, nil
}

var reference = regexp.MustCompile(`\$\{[^}]*\}`)

// expand replaces the references in text. Its errors name the setting and the reference,
// never a value.
func expand(setting, text string) (string, error) {
	var failed error
	out := reference.ReplaceAllStringFunc(text, func(ref string) string {
		value, err := resolve(ref[2 : len(ref)-1])
		if err != nil && failed == nil {
			failed = fmt.Errorf("%w: %s: %w", ErrConfig, setting, err)
		}
		return value
	})
	if failed != nil {
		return "", failed
	}
	return out, nil
}

func resolve(name string) (string, error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	value, ok := os.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("environment variable %s is not set", name)
	}
	return value, nil
}
