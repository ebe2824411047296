package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// maxFile is the size in bytes beyond which a policy file is refused unread.
const maxFile = 1 << 20

// Document is a policy file: what it says about each environment that it names.
type Document struct {
	Environments map[string]Override
}

// Parse reads a policy file strictly: unknown and repeated keys, other types, values out of range and windows that never
// open are problems, all reported at once with file, line, column and field, and the Document is nil if there is one.
// Keys may be written camelCase or PascalCase.
func Parse(file string, content []byte) (*Document, []catalog.Problem) {
	r := &reader{file: file}
	doc := &Document{Environments: map[string]Override{}}
	if root, ok := r.root(content); ok {
		root.mapping(map[string]func(field){"environments": func(f field) {
			f.entries(func(key *yaml.Node, entry field) { doc.Environments[key.Value] = r.environment(key.Value, entry) })
		}}, "environments")
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return doc, nil
}

// ParseEnvironment reads what a document that is one environment's entry says, such as the section of the server's
// settings as JSON. The Override is of use only without problems.
func ParseEnvironment(file, environment string, content []byte) (Override, []catalog.Problem) {
	r := &reader{file: file}
	root, ok := r.root(content)
	if !ok {
		return Override{}, r.problems
	}
	return r.environment(environment, root), r.problems
}

// For is what the document says about an environment; nil if it says nothing. A nil Document says nothing.
func (d *Document) For(environment string) *Override {
	if d == nil {
		return nil
	}
	override, found := d.Environments[environment]
	if !found {
		return nil
	}
	return &override
}

// reader collects the problems of one file.
type reader struct {
	file     string
	problems []catalog.Problem
}

// root is the one document of the content.
func (r *reader) root(content []byte) (field, bool) {
	if len(content) > maxFile {
		r.add(1, 1, "", catalog.CodeTooLarge, fmt.Sprintf("the file is larger than %d bytes", maxFile))
		return field{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.add(1, 1, "", catalog.CodeMissing, "the file is empty")
		return field{}, false
	case err != nil:
		r.syntax(err)
		return field{}, false
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		r.syntax(err)
		return field{}, false
	default:
		r.add(second.Line, second.Column, "", catalog.CodeSyntax, "only one document is allowed")
		return field{}, false
	}
	if len(document.Content) == 0 {
		r.add(1, 1, "", catalog.CodeMissing, "the file is empty")
		return field{}, false
	}
	return field{reader: r, node: document.Content[0]}, true
}

// syntax reports an error of the YAML parser, whose text begins with the line where it knows one.
func (r *reader) syntax(err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if _, scanErr := fmt.Sscanf(message, "line %d:", &line); scanErr == nil {
		_, message, _ = strings.Cut(message, ": ")
	}
	r.add(line, 1, "", catalog.CodeSyntax, "Invalid YAML in policy file: "+message)
}

func (r *reader) add(line, column int, path, code, message string) {
	r.problems = append(r.problems, catalog.Problem{
		Position: catalog.Position{File: r.file, Line: line, Column: column}, Field: path, Message: message, Code: code,
	})
}
