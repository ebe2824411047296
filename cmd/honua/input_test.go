package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of the size that is allowed is read whole; one byte more, or one without end, is refused.
func TestInputIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	for size, ok := range map[int]bool{maxInput: true, maxInput + 1: false} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		content, err := readInput(path)
		if (err == nil) != ok || ok && len(content) != size {
			t.Errorf("%d bytes: %d read, %v", size, len(content), err)
		}
	}
	if _, err := readInput("/dev/zero"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("without end: %v", err)
	}
	long := honuaWith(t.Context(), t, strings.Repeat("y", 1<<20), "cluster", "remove", "n1", "--address", "127.0.0.1:1")
	if long.code == 0 {
		t.Error("a megabyte is a yes")
	}
}
