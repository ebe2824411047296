package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"gopkg.in/yaml.v3"
)

// The output formats.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
)

// checkFormat refuses a format that there is not. Commands call it before they do anything.
func (s *session) checkFormat(more ...string) error {
	known := append([]string{formatTable, formatWide, formatJSON, formatYAML}, more...)
	for _, format := range known {
		if s.flags.output == format {
			return nil
		}
	}
	return fmt.Errorf("unknown output format %q: it is one of %s", s.flags.output, strings.Join(known, ", "))
}

// structured reports whether the output is for programs.
func (s *session) structured() bool {
	return s.flags.output == formatJSON || s.flags.output == formatYAML
}

// wide reports whether tables show everything.
func (s *session) wide() bool { return s.flags.output == formatWide }

// print writes a value as JSON or YAML, or else what people returns.
func (s *session) print(value any, people func(io.Writer) error) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	switch s.flags.output {
	case formatJSON:
		return writeJSON(s.out, value)
	case formatYAML:
		return writeYAML(s.out, value)
	}
	return people(s.out)
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// writeYAML goes by way of JSON, so that both have the same names in the same order.
func writeYAML(w io.Writer, value any) error {
	var buffer bytes.Buffer
	if err := writeJSON(&buffer, value); err != nil {
		return err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(buffer.Bytes(), &document); err != nil {
		return fmt.Errorf("convert to YAML: %w", err)
	}
	blockStyle(&document)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	return encoder.Close()
}

func blockStyle(node *yaml.Node) {
	if len(node.Content) > 0 || node.Kind == yaml.ScalarNode {
		node.Style = 0
	}
	for _, child := range node.Content {
		blockStyle(child)
	}
}

// table writes rows in columns.
type table struct{ writer *tabwriter.Writer }

func newTable(w io.Writer, header ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)}
	t.row(header...)
	return t
}

func (t *table) row(cells ...string) {
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "-"
		}
	}
	fmt.Fprintln(t.writer, strings.Join(cells, "\t"))
}

func (t *table) flush() error { return t.writer.Flush() }

// columns drops the cells from a row that only a wide table shows: those after the first n.
func (s *session) columns(n int, cells ...string) []string {
	if s.wide() {
		return cells
	}
	return cells[:n]
}

// writeJSONLine writes a value on one line, for streams.
func writeJSONLine(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
