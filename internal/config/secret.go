package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

const redacted = "[redacted]"

// Secret is text that never shows itself: not through fmt with any verb, not in
// logs, JSON or YAML. It may hold ${NAME} and ${file:PATH}, see Expand.
type Secret string

// Reveal returns the text as it was configured, references unexpanded.
func (s Secret) Reveal() string { return string(s) }

// Expand returns the text with its references replaced, see the function Expand.
func (s Secret) Expand() (string, error) { return Expand(string(s)) }

// String is "[redacted]", or "" for an empty secret, so that set and unset can be told apart.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return fmt.Sprintf("config.Secret(%q)", s.String()) }

// Format hides the text from every verb: fmt prints a string under a verb that is wrong for it.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = io.WriteString(f, s.GoString())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText hides the text from encoders, JSON and YAML among them.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the text from structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Expand replaces ${NAME} with the environment variable NAME and ${file:PATH}
// with the file's content less its trailing line breaks. Values are not expanded
// again. A variable that is not set, an unreadable file and a "${" without "}" are
// errors that name the reference and never a value; they wrap ErrInvalid.
func Expand(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf(`%w: a "${" is not closed by "}"`, ErrInvalid)
		}
		value, err := resolve(name)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		text = after
	}
}

func resolve(name string) (string, error) {
	if path, isFile := strings.CutPrefix(name, "file:"); isFile {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("%w: ${%s}: %w", ErrInvalid, name, err)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	value, set := os.LookupEnv(name)
	if !set {
		return "", fmt.Errorf("%w: environment variable %s is not set", ErrInvalid, name)
	}
	return value, nil
}
