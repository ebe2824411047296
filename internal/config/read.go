package config

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// reader turns a file's bytes into nodes.
type reader struct {
	name     string
	newlines []int // offsets
	problems Problems
}

// readTree parses JSON with comments and trailing commas. The root is never nil.
func readTree(name string, data []byte) (*node, Problems) {
	r := &reader{name: name}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // .NET's tools write a byte order mark
	for i, b := range data {
		if b == '\n' {
			r.newlines = append(r.newlines, i)
		}
	}
	empty := &node{kind: object, source: name}
	value, err := hujson.Parse(data)
	if err != nil {
		return empty, Problems{{Source: name, Message: "not JSON: " + strings.TrimPrefix(err.Error(), "hujson: ")}}
	}
	root := r.node(value, "")
	if root.kind != object {
		return empty, Problems{{Source: name, Message: "must be one JSON object: { … }"}}
	}
	return root, r.problems
}

func (r *reader) source(offset int) string {
	line := sort.SearchInts(r.newlines, offset)
	start := 0
	if line > 0 {
		start = r.newlines[line-1] + 1
	}
	return fmt.Sprintf("%s:%d:%d", r.name, line+1, offset-start+1)
}

// node converts one value; prefix is its key with a dot behind, or "" at the root.
func (r *reader) node(v hujson.Value, prefix string) *node {
	n := &node{source: r.source(v.StartOffset)}
	switch value := v.Value.(type) {
	case *hujson.Object:
		n.kind = object
		for _, member := range value.Members {
			r.addMember(n, member, prefix)
		}
	case *hujson.Array:
		n.kind = array
		for i, element := range value.Elements {
			n.fields = append(n.fields, &field{strconv.Itoa(i), r.node(element, prefix+strconv.Itoa(i)+".")})
		}
	case hujson.Literal:
		n.kind, n.value = literal(value)
	}
	return n
}

// addMember adds one field. "GitOps:Watcher" is .NET's other way of writing a nested key.
func (r *reader) addMember(n *node, member hujson.ObjectMember, prefix string) {
	name, _ := member.Name.Value.(hujson.Literal) // hujson accepts nothing else
	path := strings.Split(name.String(), ":")
	key := prefix + strings.Join(path, ".")
	if !n.set(path, r.node(member.Value, key+"."), false) {
		r.problems = append(r.problems, Problem{
			Source:  r.source(member.Name.StartOffset),
			Key:     key,
			Message: "the key is there twice (case does not tell keys apart); keep one",
		})
	}
}

func literal(value hujson.Literal) (nodeKind, string) {
	switch value.Kind() {
	case '"':
		return text, value.String()
	case '0':
		return number, string(value)
	case 't', 'f':
		return boolean, string(value)
	default:
		return null, ""
	}
}

// overlay sets the variables of environ ("NAME=value") that name a key of one of the sections, such as
// GitOps__Watcher__Branch, over root.
func overlay(root *node, environ, sections []string) {
	variables := append([]string(nil), environ...)
	sort.Strings(variables)
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		path := strings.Split(name, "__")
		if len(path) < 2 || !containsFold(sections, path[0]) || containsFold(path, "") {
			continue
		}
		root.set(path, &node{kind: text, value: value, source: "environment variable " + name}, true)
	}
}

func containsFold(list []string, name string) bool {
	for _, one := range list {
		if strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}
