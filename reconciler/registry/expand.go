package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
)

// maxSecretBytes bounds what is used of the file of a ${file:PATH}.
const maxSecretBytes = 64 << 10

// expander replaces placeholders by what they stand for on this node.
type expander struct {
	lookupEnv func(string) (string, bool)
	readFile  func(string) ([]byte, error)
	// private reports whether a reference is to something of the node itself.
	private func(string) bool
}

// expansion is an expanded connection string together with what must never be shown of it.
type expansion struct {
	value   string
	secrets []secret
}

// secret is an expanded value and the placeholder that may be shown instead.
type secret struct{ value, placeholder string }

// expand replaces each ${NAME} and ${file:PATH}. Values are taken as they are: a placeholder in one is not expanded.
func (e expander) expand(text string) (expansion, error) {
	var out strings.Builder
	var secrets []secret
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return expansion{value: out.String(), secrets: secrets}, nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return expansion{}, fmt.Errorf("%w: a ${ is not closed by }", ErrConnectionString)
		}
		value, err := e.resolve(name)
		if err != nil {
			return expansion{}, err
		}
		out.WriteString(value)
		secrets = append(secrets, secret{value: value, placeholder: "${" + name + "}"})
		text = after
	}
}

func (e expander) resolve(name string) (string, error) {
	if e.private(name) {
		return "", fmt.Errorf("%w: ${%s} is the node's own: name a secret that is made for this data source", ErrConnectionString, name)
	}
	if path, isFile := strings.CutPrefix(name, "file:"); isFile {
		return e.fileValue(path)
	}
	if !isVariableName(name) {
		return "", fmt.Errorf("%w: ${%s} is neither ${NAME} nor ${file:PATH}", ErrConnectionString, name)
	}
	value, ok := e.lookupEnv(name)
	if !ok {
		return "", fmt.Errorf("%w: environment variable %s is not set on this node", ErrConnectionString, name)
	}
	return value, nil
}

// fileValue is the content of a secret's file without the line end that editors and `echo` leave there.
func (e expander) fileValue(path string) (string, error) {
	content, err := e.readFile(path)
	if err != nil {
		return "", fmt.Errorf("%w: ${file:%s}: %s", ErrConnectionString, path, fileReason(err))
	}
	if len(content) > maxSecretBytes {
		return "", fmt.Errorf("%w: ${file:%s}: larger than %d bytes", ErrConnectionString, path, maxSecretBytes)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}

// fileReason keeps to reasons that cannot hold anything of the file.
func fileReason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the file does not exist on this node"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return "the file cannot be read"
}

func isVariableName(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// redact puts the placeholder wherever a text holds an expanded value, also in the forms that URLs and quoted
// messages give it.
func (x expansion) redact(text string) string {
	for _, s := range x.secrets {
		if s.value == "" {
			continue
		}
		quoted := strconv.Quote(s.value)
		forms := []string{s.value, quoted[1 : len(quoted)-1], url.QueryEscape(s.value), url.PathEscape(s.value),
			url.UserPassword("", s.value).String()[1:]}
		for _, form := range forms {
			text = strings.ReplaceAll(text, form, s.placeholder)
		}
	}
	return text
}

// redactError returns an error whose text shows no expanded value and which still is the sentinel that err wraps.
// It does not unwrap to err, whose own text may show one.
func (x expansion) redactError(err error) error {
	if err == nil || len(x.secrets) == 0 {
		return err
	}
	var kind error
	sentinels := []error{ErrUnavailable, ErrConnectionString, ErrFeatureNotFound, ErrCRS, context.Canceled, context.DeadlineExceeded}
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			kind = sentinel
			break
		}
	}
	return redactedError{text: x.redact(err.Error()), kind: kind}
}

type redactedError struct {
	text string
	kind error
}

func (e redactedError) Error() string { return e.text }
func (e redactedError) Unwrap() error { return e.kind }
