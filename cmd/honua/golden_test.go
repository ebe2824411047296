package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// What operators and scripts read.
func TestGoldens(t *testing.T) {
	address := sampleAPI().serve(t)
	tests := []struct {
		name string
		args string
	}{
		{"status", "status"},
		{"status.json", "status -o json"},
		{"deployment-list", "deployment list"},
		{"deployment-list-wide", "deployment list -o wide -e production"},
		{"deployment-list.json", "deployment list -o json"},
		{"deployment-list.yaml", "deployment list -o yaml -e development"},
		{"deployment-show", "deployment show production-20261121-140022"},
		{"deployment-show-awaiting", "deployment show production-20261121-143022"},
		{"deployment-history", "deployment history -e production"},
		{"environment-list", "environment list"},
		{"cluster-status", "cluster status"},
		{"cluster-status.json", "cluster status -o json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := honua(t, append(strings.Fields(test.args), "--address", address)...)
			if got.code != exitDone || got.err != "" {
				t.Fatalf("exit code %d: %s", got.code, got.err)
			}
			golden(t, test.name, got.out)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// JSON and YAML are the same document, and lists are never null.
func TestFormatsAgree(t *testing.T) {
	address := sampleAPI().serve(t)
	for _, command := range []string{"status", "deployment list", "environment list", "cluster status"} {
		args := append(strings.Fields(command), "--address", address, "-o")
		asJSON, asYAML := honua(t, append(args, "json")...), honua(t, append(args, "yaml")...)
		var fromJSON, fromYAML any
		if err := json.Unmarshal([]byte(asJSON.out), &fromJSON); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		if err := yaml.Unmarshal([]byte(asYAML.out), &fromYAML); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		again, err := json.Marshal(fromYAML)
		if err != nil {
			t.Fatal(err)
		}
		if first, _ := json.Marshal(fromJSON); string(first) != string(again) {
			t.Errorf("%s: JSON\n%s\nYAML\n%s", command, first, again)
		}
		if strings.Contains(asYAML.out, "{") && !strings.Contains(asYAML.out, "{}") {
			t.Errorf("%s: YAML is in flow style:\n%s", command, asYAML.out)
		}
	}
}

// A text from a repository cannot act on the terminal.
func TestTextsAreHarmless(t *testing.T) {
	address := sampleAPI().serve(t)
	for _, command := range []string{"deployment list", "deployment show development-20261121-135022", "status"} {
		got := honua(t, append(strings.Fields(command), "--address", address)...)
		if strings.Contains(got.out, "\x1b") {
			t.Errorf("%s prints an escape sequence: %q", command, got.out)
		}
	}
}
