package node

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/honua-io/honua-gitops/internal/durable"
)

// watched is a disk that notes which directories were synced, and may refuse to.
type watched struct {
	durable.Disk
	synced map[string]int
	refuse error
	// during is done once, before the next sync of a directory.
	during func()
}

func (w *watched) OpenFile(name string, flag int, mode os.FileMode) (durable.File, error) {
	file, err := w.Disk.OpenFile(name, flag, mode)
	if info, failed := os.Stat(name); err == nil && failed == nil && info.IsDir() {
		return &watchedDirectory{file, name, w}, nil
	}
	return file, err
}

type watchedDirectory struct {
	durable.File
	name string
	disk *watched
}

func (d *watchedDirectory) Sync() error {
	if during := d.disk.during; during != nil {
		d.disk.during = nil
		during()
	}
	if d.disk.refuse != nil {
		return d.disk.refuse
	}
	d.disk.synced[d.name]++
	return d.File.Sync()
}

// watchedStore is a new store and the disk that it is on.
func watchedStore(t *testing.T) (*watched, *bundleStore) {
	t.Helper()
	disk := &watched{synced: map[string]int{}}
	store, err := openBundleStore(durable.Files{FS: disk}, filepath.Join(t.TempDir(), "bundles"))
	if err != nil {
		t.Fatal(err)
	}
	return disk, store
}

// A process that died between renaming a content and syncing its directory leaves a content that can be read, and
// that a power loss takes away: whoever finds it makes it safe first. Found by the simulator.
func TestContentOfADeadProcessIsMadeSafe(t *testing.T) {
	disk := &watched{synced: map[string]int{}}
	directory := filepath.Join(t.TempDir(), "bundles")
	if _, err := openBundleStore(durable.Files{FS: disk}, directory); err != nil {
		t.Fatal(err)
	}
	if disk.synced[directory] == 0 {
		t.Error("a store that is opened does not put the names that it finds on disk")
	}
}

// A content whose directory could not be synced is not taken for kept at the next attempt. Found by the simulator.
func TestContentThatIsNotSafeIsWrittenAgain(t *testing.T) {
	disk, store := watchedStore(t)
	directory := store.directory
	encoded, compressed, digest := encodedContent(t, "{}")
	disk.refuse = errors.New("input/output error")
	if err := store.put(digest, compressed, int64(len(encoded))); !errors.Is(err, disk.refuse) {
		t.Fatalf("it counts as kept: %v", err)
	}
	disk.refuse = nil
	before := disk.synced[directory]
	if err := store.put(digest, compressed, int64(len(encoded))); err != nil {
		t.Fatal(err)
	}
	if disk.synced[directory] == before {
		t.Error("the second attempt left the name as unsafe as it was")
	}
	if _, err := store.get(digest); err != nil {
		t.Error(err)
	}
}

// A content that another goroutine has renamed and not synced yet can be read, and does not count as kept: a node that
// activates what it is staging at the same time has to wait for the disk itself. Found by the simulator.
func TestContentBeingStoredIsNotSafe(t *testing.T) {
	disk, store := watchedStore(t)
	directory := store.directory
	encoded, compressed, digest := encodedContent(t, "{}")
	disk.during = func() {
		if _, err := store.get(digest); err != nil {
			t.Fatalf("the content is not in its place yet: %v", err)
		}
		before := disk.synced[directory]
		if err := store.put(digest, compressed, int64(len(encoded))); err != nil {
			t.Error(err)
		}
		if disk.synced[directory] == before {
			t.Error("what another goroutine has not made safe yet counts as kept")
		}
	}
	if err := store.put(digest, compressed, int64(len(encoded))); err != nil {
		t.Fatal(err)
	}
	before := disk.synced[directory]
	if err := store.put(digest, compressed, int64(len(encoded))); err != nil || disk.synced[directory] != before {
		t.Errorf("what is kept is written again: %v", err)
	}
}

// An attempt that fails takes nothing away that an earlier one has made safe.
func TestFailedAttemptTakesNothingAway(t *testing.T) {
	disk, store := watchedStore(t)
	encoded, compressed, digest := encodedContent(t, "{}")
	disk.during = func() {
		if err := store.put(digest, compressed, int64(len(encoded))); err != nil {
			t.Error(err)
		}
		disk.refuse = errors.New("input/output error")
	}
	if err := store.put(digest, compressed, int64(len(encoded))); !errors.Is(err, disk.refuse) {
		t.Fatalf("the disk refused, and it says %v", err)
	}
	if _, err := store.get(digest); err != nil {
		t.Errorf("what the other attempt stored is gone: %v", err)
	}
}
