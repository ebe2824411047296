package node

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/internal/durable"
	"github.com/honua-io/honua-gitops/internal/failpoint"
)

// ErrBundle is a stored content that cannot be read, written or trusted.
var ErrBundle = errors.New("the stored content")

// ErrDisk is a content that cannot be written: what the disk then holds is not
// known, and a node that cannot store what it serves is none.
var ErrDisk = errors.New("a write to this node's disk failed")

// bundleMagic begins a file of the store; the size of the content follows.
const bundleMagic = "HONUABND"

// maxStored bounds what a damaged size in a file's beginning can ask for, bytes.
const maxStored = 1 << 30

// bundleSuffix ends the files' names.
const bundleSuffix = ".bundle"

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// bundleStore keeps contents on disk by digest, so that a node serves before a
// quorum is back. Files are replaced atomically and checked when read.
type bundleStore struct {
	files     durable.Files
	directory string

	// safe are the digests of contents whose names are on disk, too. One that
	// another goroutine has just put in place can be read before it is (I6).
	safe sync.Map
}

func openBundleStore(files durable.Files, directory string) (*bundleStore, error) {
	if err := files.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	s := &bundleStore{files: files, directory: directory}
	if err := s.tidy(); err != nil {
		return nil, err
	}
	return s, s.adopt()
}

// adopt counts as kept what an earlier process left, once the names are on disk: it may have died before they were.
func (s *bundleStore) adopt() error {
	names, err := s.files.ReadDir(s.directory)
	if err == nil {
		err = s.files.SyncDirectory(s.directory)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBundle, err)
	}
	for _, name := range names {
		if digest, ok := strings.CutSuffix(name, bundleSuffix); ok {
			s.safe.Store(digest, nil)
		}
	}
	return nil
}

// tidy removes what a process that died had not finished.
func (s *bundleStore) tidy() error {
	return s.remove(func(name string) bool { return !strings.HasSuffix(name, bundleSuffix) })
}

func (s *bundleStore) path(digest string) string {
	return filepath.Join(s.directory, digest+bundleSuffix)
}

// put stores a content that is not there yet; when it returns it is on disk.
// Who finds that another goroutine is still about to store it stores it himself:
// either leaves the same file.
func (s *bundleStore) put(digest string, compressed []byte, rawSize int64) error {
	if !digestPattern.MatchString(digest) {
		return fmt.Errorf("%w: %q is no digest", ErrBundle, digest)
	}
	if _, kept := s.safe.Load(digest); kept {
		if _, err := s.get(digest); err == nil {
			return nil
		}
	}
	var content bytes.Buffer
	content.WriteString(bundleMagic)
	_ = binary.Write(&content, binary.BigEndian, rawSize) // a bytes.Buffer takes everything
	content.Write(compressed)
	failpoint.Reach(failpoint.BeforeStageSync)
	if err := s.files.WriteFile(s.path(digest), content.Bytes()); err != nil {
		return fmt.Errorf("%w: %w %s: %w", ErrDisk, ErrBundle, digest, err)
	}
	s.safe.Store(digest, nil)
	failpoint.Reach(failpoint.AfterStageSync)
	return nil
}

// get returns the canonical bytes of a content whose digest is right.
func (s *bundleStore) get(digest string) ([]byte, error) {
	data, err := s.files.ReadFile(s.path(digest))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	header := len(bundleMagic) + 8
	if len(data) < header || string(data[:len(bundleMagic)]) != bundleMagic {
		return nil, fmt.Errorf("%w %s: it is damaged: its beginning is not a bundle's", ErrBundle, digest)
	}
	rawSize := int64(binary.BigEndian.Uint64(data[len(bundleMagic):header]))
	encoded, err := bundle.Decompress(data[header:], rawSize, maxStored)
	if err != nil {
		return nil, fmt.Errorf("%w %s: it is damaged: %w", ErrBundle, digest, err)
	}
	if got := bundle.Digest(encoded); got != digest {
		return nil, fmt.Errorf("%w %s: it is damaged: its digest is %s", ErrBundle, digest, got)
	}
	return encoded, nil
}

// prune deletes the contents that are not wanted any more. What another
// goroutine is writing meanwhile stays.
func (s *bundleStore) prune(wanted func(digest string) bool) error {
	return s.remove(func(name string) bool {
		digest, ok := strings.CutSuffix(name, bundleSuffix)
		return ok && !wanted(digest)
	})
}

func (s *bundleStore) remove(unwanted func(name string) bool) error {
	names, err := s.files.ReadDir(s.directory)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBundle, err)
	}
	for _, name := range names {
		if !unwanted(name) {
			continue
		}
		s.safe.Delete(strings.TrimSuffix(name, bundleSuffix))
		if err := s.files.Remove(filepath.Join(s.directory, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: %w", ErrBundle, err)
		}
	}
	return nil
}
