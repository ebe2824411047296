package faults

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// Whatever the way, a damaged file is another one, of no greater length; zeros are damaged, too.
func TestSpoil(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	path := filepath.Join(t.TempDir(), "file")
	for _, before := range [][]byte{{7}, make([]byte, 3000), bytes.Repeat([]byte("content "), 200)} {
		for _, how := range Damages() {
			if err := os.WriteFile(path, before, 0o600); err != nil {
				t.Fatal(err)
			}
			said, err := Spoil(path, how, random)
			if err != nil || said == "" {
				t.Fatal(said, err)
			}
			after, err := os.ReadFile(path)
			if err != nil || bytes.Equal(before, after) || len(after) > len(before) || len(after) < len(before) && how != Cut {
				t.Errorf("%s of %d bytes: %d bytes, %v", how, len(before), len(after), err)
			}
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Spoil(path, Flip, random); err == nil {
		t.Error("an empty file was damaged")
	}
}
