package node

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/internal/durable"
)

func encodedContent(t *testing.T, text string) (encoded, compressed []byte, digest string) {
	t.Helper()
	encoded, err := bundle.Encode([]bundle.File{{Path: "environments/x/metadata.json", Content: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return encoded, bundle.Compress(encoded), bundle.Digest(encoded)
}

// What a node serves is byte for byte what was activated, or nothing (I6).
func TestBundleStore(t *testing.T) {
	store, err := openBundleStore(durable.Files{FS: durable.Disk{}}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	encoded, compressed, digest := encodedContent(t, "{}")
	if _, err := store.get(digest); !errors.Is(err, ErrBundle) {
		t.Errorf("read what is not there: %v", err)
	}
	if err := store.put(digest, compressed, int64(len(encoded))); err != nil {
		t.Fatal(err)
	}
	found, err := store.get(digest)
	if err != nil || !bytes.Equal(found, encoded) {
		t.Fatal(err)
	}
	for offset := range 40 {
		damage(t, store.path(digest), offset)
		if found, err := store.get(digest); !errors.Is(err, ErrBundle) && !bytes.Equal(found, encoded) {
			t.Fatalf("a flipped bit at %d changed what was read: %v", offset, err)
		}
		damage(t, store.path(digest), offset)
	}
	damage(t, store.path(digest), 3)
	if err := store.put(digest, compressed, int64(len(encoded))); err != nil {
		t.Fatal(err)
	}
	if _, err := store.get(digest); err != nil {
		t.Errorf("a damaged file was not replaced: %v", err)
	}
	if err := store.put("../x", compressed, 1); !errors.Is(err, ErrBundle) {
		t.Errorf("a path was taken for a digest: %v", err)
	}
}

func damage(t *testing.T, path string, offset int) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[offset%len(content)] ^= 0x10
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBundleStorePrunes(t *testing.T) {
	store, err := openBundleStore(durable.Files{FS: durable.Disk{}}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, compressed, first := encodedContent(t, "1")
	encoded, compressedSecond, second := encodedContent(t, "2")
	for digest, content := range map[string][]byte{first: compressed, second: compressedSecond} {
		if err := store.put(digest, content, int64(len(encoded))); err != nil {
			t.Fatal(err)
		}
	}
	underWay := filepath.Join(store.directory, "."+first+".1.new")
	if err := os.WriteFile(underWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.prune(func(digest string) bool { return digest == second }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(store.directory)
	if err != nil || len(entries) != 2 || !strings.HasPrefix(entries[1].Name(), second) {
		t.Errorf("what is under way, and what is wanted: %v, %v", entries, err)
	}
	// Whoever wrote it is gone with the process.
	if _, err := openBundleStore(store.files, store.directory); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(underWay); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a dead process had not finished is kept: %v", err)
	}
}

// A node that cannot store a content has no veto: it gives no answer, and ends.
func TestFailedDiskEndsTheNode(t *testing.T) {
	l := newLab(t)
	n := l.open()
	done := make(chan error, 1)
	go func() { done <- n.Run(t.Context()) }()
	folder := filepath.Join(l.dir, "node", "bundles")
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil { // nothing can be stored in it any more
		t.Fatal(err)
	}
	l.begin("points.geojson", "one")
	if answer, err := n.Stage(t.Context(), l.question()); status.Code(err) != codes.Unavailable {
		t.Errorf("%v, %v", answer, err)
	}
	if err := <-done; !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "bundles") {
		t.Errorf("the node ends with %v", err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
