//go:build linux

package postgres

import (
	"os"
	"testing"
)

// TempDir is a folder that goes away with the test. Unlike t.TempDir's it can be given to another user.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
