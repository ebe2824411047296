package config

import (
	"fmt"
	"strings"
)

// table describes the keys of one section, and reads them in the same pass.
type table struct {
	pass   *pass
	prefix string // full key of the section, "" for the root
	node   *node  // the section as configured; nil when it is absent
	strict bool   // unknown keys are problems
	known  []string
	// describing: the table is walked for the reference alone.
	describing bool
}

// pass is what one walk over all sections collects.
type pass struct {
	problems  Problems
	reference []Entry
	sources   map[string]string // full key in lower case -> where its value came from
	values    []heldValue
}

// heldValue looks at a key's value when it is asked for: some are derived later.
type heldValue struct {
	key  string
	look func() any
}

// hold lets Config.Values show a key. What describes names that an operator may choose has no value.
func (t *table) hold(name string, look func() any) {
	if t.describing {
		return
	}
	t.pass.values = append(t.pass.values, heldValue{t.key(name), look})
}

// preset is a key's value when nothing sets it.
type preset struct {
	value string // parsed like an environment variable; "" is the type's zero value
	shown string // for the reference, when it is not value
}

func is(value string) preset      { return preset{value: value, shown: value} }
func derived(shown string) preset { return preset{shown: shown} }

func (t *table) key(name string) string {
	if t.prefix == "" {
		return name
	}
	return t.prefix + "." + name
}

// find returns what was configured under name; nil when nothing was.
func (t *table) find(name string) *node {
	t.known = append(t.known, name)
	found := t.node.child(name)
	if found == nil || found.value.kind == null {
		return nil
	}
	t.pass.sources[strings.ToLower(t.key(name))] = found.value.source
	return found.value
}

func (t *table) problem(n *node, name, format string, args ...any) {
	t.pass.problems = append(t.pass.problems, Problem{Source: n.source, Key: t.key(name), Message: fmt.Sprintf(format, args...)})
}

func (t *table) document(name, typeName, shown, help string) {
	t.pass.reference = append(t.pass.reference, Entry{Key: t.key(name), Type: typeName, Default: shown, Text: help})
}

// one reads a single value into dst, which gets the preset when nothing is configured.
func one[T any](t *table, name string, k kind[T], dst *T, def preset, help string) {
	t.document(name, k.name, def.shown, help)
	t.hold(name, func() any { return *dst })
	if def.value != "" {
		value, err := k.parse(def.value)
		if err != nil { // the description itself is wrong; TestDefaults keeps this from happening
			t.problem(&node{}, name, "default %q %v", def.value, err)
		}
		*dst = value
		if k.name == wholeNumber {
			k.example = def.value
		}
	}
	if n := t.find(name); n != nil {
		read(t, name, n, k, dst)
	}
}

// optional reads a single value into a pointer, which stays nil when nothing is configured.
func optional[T any](t *table, name string, k kind[T], dst **T, help string) {
	t.document(name, k.name, "", help)
	t.hold(name, func() any {
		if *dst == nil {
			return nil
		}
		return **dst
	})
	if n := t.find(name); n != nil {
		var value T
		if read(t, name, n, k, &value) {
			*dst = &value
		}
	}
}

func read[T any](t *table, name string, n *node, k kind[T], dst *T) bool {
	shown := n.quoted()
	if k.quiet && n.kind != array && n.kind != object {
		shown = "the value"
	}
	if n.kind == array || n.kind == object || (n.kind == boolean && k.name != flag().name) {
		t.problem(n, name, "%s is not %s; write %s", shown, article(k.name), k.example)
		return false
	}
	value, err := k.parse(n.value)
	if err != nil {
		t.problem(n, name, "%s %v; write %s", shown, err, k.example)
		return false
	}
	*dst = value
	return true
}

func article(name string) string {
	if strings.HasPrefix(name, "one of") || strings.HasPrefix(name, "true") || strings.HasSuffix(name, "text") {
		return name
	}
	return "a " + name
}

// list reads a list of values.
func list[T any](t *table, name string, k kind[T], dst *[]T, help string) {
	t.document(name, "list of "+k.name, "[]", help)
	t.hold(name, func() any { return *dst })
	n := t.find(name)
	if n == nil {
		return
	}
	items, ok := n.items()
	if !ok {
		t.problem(n, name, "%s is not a list; write [%s], or as environment variables %s__0, %s__1, …",
			n.quoted(), k.example, variable(t.key(name)), variable(t.key(name)))
		return
	}
	*dst = make([]T, 0, len(items))
	for i, item := range items {
		var value T
		if read(t, fmt.Sprintf("%s.%d", name, i), item, k, &value) {
			*dst = append(*dst, value)
		}
	}
}

// section reads a nested section.
func (t *table) section(name string, describe func(*table)) {
	nested := &table{pass: t.pass, prefix: t.key(name), strict: t.strict, describing: t.describing}
	if n := t.find(name); n != nil {
		if n.kind != object {
			t.problem(n, name, "%s is not a section; write { … }", n.quoted())
		} else {
			nested.node = n
		}
	}
	describe(nested)
	nested.refuseUnknown()
}

// each reads a section with one nested section for every name that the operator chose.
func each[T any](t *table, name, placeholder string, dst *map[string]T, describe func(*T, *table)) {
	t.section(name, func(names *table) {
		var blank T
		describe(&blank, &table{pass: t.pass, prefix: names.key(placeholder), describing: true}) // for the reference
		for _, chosen := range names.node.names() {
			var value T
			names.section(chosen, func(inner *table) { describe(&value, inner) })
			put(dst, chosen, value)
		}
	})
}

// eachOne reads a section with one value for every name that the operator chose.
func eachOne[T any](t *table, name, placeholder string, k kind[T], dst *map[string]T, help string) {
	t.section(name, func(names *table) {
		names.document(placeholder, k.name, "", help)
		for _, chosen := range names.node.names() {
			var value T
			if n := names.find(chosen); n != nil && read(names, chosen, n, k, &value) {
				names.hold(chosen, func() any { return value })
				put(dst, chosen, value)
			}
		}
	})
}

func put[T any](dst *map[string]T, name string, value T) {
	if *dst == nil {
		*dst = map[string]T{}
	}
	(*dst)[name] = value
}

// refuseUnknown reports what is configured in a strict section and was never asked for.
func (t *table) refuseUnknown() {
	if !t.strict {
		return
	}
	for _, name := range t.node.names() {
		if containsFold(t.known, name) {
			continue
		}
		remedy := "the keys here are " + strings.Join(t.known, ", ")
		if near := nearest(name, t.known); near != "" {
			remedy = "did you mean " + t.key(near) + "?"
		}
		t.problem(t.node.child(name).value, name, "unknown key; %s", remedy)
	}
}

// variable is the environment variable that sets key.
func variable(key string) string { return strings.ReplaceAll(key, ".", "__") }
