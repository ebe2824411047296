package config

import (
	"errors"
	"strings"
)

// ErrInvalid is wrapped by every error that a file's or a variable's content causes.
var ErrInvalid = errors.New("invalid configuration")

// Problem is one thing wrong with a configuration.
type Problem struct {
	// Source is "file:line:column", a file, or "environment variable NAME"; "" when nothing set the key.
	Source string
	// Key is the full key, such as "GitOps.Watcher.Branch"; "" when the file as a whole is meant.
	Key string
	// Message says what is wrong and what to write instead. It never holds a secret's value.
	Message string
}

// String is "source: key: message", without the parts that are empty.
func (p Problem) String() string {
	var parts []string
	for _, part := range []string{p.Source, p.Key, p.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Problems are all that is wrong with a configuration, as one error.
type Problems []Problem

// Error has one problem on each line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (p Problems) Is(target error) bool { return target == ErrInvalid }

// orNil avoids the error that is not nil but empty.
func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
