package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/honua-io/honua-gitops/internal/duration"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// field is a value of a policy file with the way to it.
type field struct {
	reader *reader
	node   *yaml.Node
	path   string
}

func (f field) fail(code, format string, args ...any) {
	f.reader.add(max(1, f.node.Line), max(1, f.node.Column), f.path, code, fmt.Sprintf(format, args...))
}

func (f field) child(name string, node *yaml.Node) field {
	if f.path != "" {
		name = f.path + "." + name
	}
	return field{reader: f.reader, node: node, path: name}
}

// entries calls each with the keys and values of a mapping.
func (f field) entries(each func(key *yaml.Node, value field)) {
	if f.node.Kind != yaml.MappingNode {
		f.wrongType("a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		key, value := f.node.Content[i], f.node.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" || !catalog.ValidID(key.Value):
			f.child("?", key).fail(catalog.CodeInvalid, "the key must be a name of letters, digits, '.', '_' and '-'")
		case seen[key.Value]:
			f.child(key.Value, key).fail(catalog.CodeDuplicateKey, "the key is given twice")
		default:
			seen[key.Value] = true
			each(key, f.child(key.Value, value))
		}
	}
}

// mapping hands each known key, in camelCase or PascalCase, to its reader; the required ones must be there.
func (f field) mapping(known map[string]func(field), required ...string) {
	given := map[string]bool{}
	f.entries(func(key *yaml.Node, value field) {
		camel := strings.ToLower(key.Value[:1]) + key.Value[1:]
		read, found := known[camel]
		switch {
		case !found:
			names := slices.Sorted(maps.Keys(known))
			f.child(key.Value, key).fail(catalog.CodeUnknownProperty, "unknown key%s", catalog.Suggest(key.Value, names))
		case given[camel]:
			f.child(key.Value, key).fail(catalog.CodeDuplicateKey, "the key is given twice")
		default:
			read(value)
		}
		given[camel] = true
	})
	if f.node.Kind != yaml.MappingNode {
		return
	}
	for _, name := range required {
		if !given[name] {
			f.child(name, f.node).fail(catalog.CodeMissing, "is required")
		}
	}
}

// list are the elements of a list.
func (f field) list() []field {
	if f.node.Kind != yaml.SequenceNode {
		f.wrongType("a list")
		return nil
	}
	elements := make([]field, len(f.node.Content))
	for i, node := range f.node.Content {
		elements[i] = field{reader: f.reader, node: node, path: f.path + "[" + strconv.Itoa(i) + "]"}
	}
	return elements
}

func (f field) boolean() (bool, bool) {
	if f.node.Kind != yaml.ScalarNode || f.node.ShortTag() != "!!bool" {
		f.wrongType("true or false")
		return false, false
	}
	return strings.EqualFold(f.node.Value, "true"), true
}

func (f field) text() (string, bool) {
	tag := f.node.ShortTag()
	if f.node.Kind != yaml.ScalarNode || (tag != "!!str" && tag != "!!timestamp") {
		f.wrongType("a text")
		return "", false
	}
	return f.node.Value, true
}

// word reads one of a list of words, in any case.
func (f field) word(words ...string) (string, bool) {
	text, ok := f.text()
	if !ok {
		return "", false
	}
	for _, word := range words {
		if strings.EqualFold(word, text) {
			return word, true
		}
	}
	f.fail(catalog.CodeUnknownValue, "must be one of %s%s", strings.Join(words, ", "), catalog.Suggest(text, words))
	return "", false
}

// span reads a duration from one second to a limit.
func (f field) span(limit time.Duration, limitText string) (time.Duration, bool) {
	text, ok := f.text()
	if !ok {
		return 0, false
	}
	d, err := duration.Parse(text)
	if err != nil {
		f.fail(catalog.CodeInvalid, "%v", err)
		return 0, false
	}
	if d < minTimeout || d > limit {
		f.fail(catalog.CodeOutOfRange, "must be from 1 second to %s", limitText)
		return 0, false
	}
	return d, true
}

func (f field) integer(least, most int) (int, bool) {
	n, err := strconv.Atoi(f.node.Value)
	switch {
	case f.node.Kind != yaml.ScalarNode || f.node.ShortTag() != "!!int":
		f.wrongType("a whole number")
	case err != nil || n < least || n > most:
		f.fail(catalog.CodeOutOfRange, "must be a whole number from %d to %d", least, most)
	default:
		return n, true
	}
	return 0, false
}

func (f field) wrongType(wanted string) {
	if f.node.Kind == yaml.AliasNode {
		f.fail(catalog.CodeWrongType, "must be %s; aliases are not allowed", wanted)
		return
	}
	f.fail(catalog.CodeWrongType, "must be %s", wanted)
}
