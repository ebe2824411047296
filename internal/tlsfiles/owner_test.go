//go:build unix

package tlsfiles

import (
	"io/fs"
	"syscall"
	"testing"
)

// ownedFile is a file of somebody.
type ownedFile struct {
	fs.FileInfo
	mode fs.FileMode
	uid  uint32
}

func (f ownedFile) Mode() fs.FileMode { return f.mode }
func (f ownedFile) Sys() any          { return &syscall.Stat_t{Uid: f.uid} }

func TestOthersMayRead(t *testing.T) {
	const root, honua, somebody = 0, 1000, 1001
	for _, test := range []struct {
		mode  fs.FileMode
		owner uint32
		euid  int
		want  bool
	}{
		{0o600, honua, honua, false},
		{0o400, honua, honua, false},
		{0o640, honua, honua, true},
		{0o604, honua, honua, true},
		{0o620, honua, honua, true},
		{0o640, somebody, honua, true},
		// Kubernetes: the mount belongs to root, the pod's fsGroup may read it.
		{0o640, root, honua, false},
		{0o440, root, honua, false},
		{0o660, root, honua, true},
		{0o644, root, honua, true},
		{0o444, root, honua, true},
		{0o600, root, root, false},
		{0o640, root, root, true},
		{0o440, root, root, true},
		{fs.ModeDir | 0o700, honua, honua, false},
		{fs.ModeDir | 0o750, honua, honua, true},
	} {
		if got := othersMayRead(ownedFile{mode: test.mode, uid: test.owner}, test.euid); got != test.want {
			t.Errorf("%v of %d, read by %d: %v", test.mode, test.owner, test.euid, got)
		}
	}
	if othersMayRead(unownedFile{}, honua) != true {
		t.Error("a file of nobody that a group may read is a secret")
	}
}

// unownedFile is on a system that does not say whose it is.
type unownedFile struct{ fs.FileInfo }

func (unownedFile) Mode() fs.FileMode { return 0o640 }
func (unownedFile) Sys() any          { return nil }
