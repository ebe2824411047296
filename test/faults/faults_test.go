package faults

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFlipIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("one two one"), 0o600); err != nil {
		t.Fatal(err)
	}
	count, err := FlipIn(path, "one")
	content, readErr := os.ReadFile(path)
	if err := errors.Join(err, readErr); err != nil || count != 2 || string(content) != "nne two nne" {
		t.Errorf("%d, %v: %q", count, err, content)
	}
	if _, err := FlipIn(path, "three"); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
	if err := FlipBit(path, 99, 0); err == nil {
		t.Error("flipped a bit behind the end")
	}
}
