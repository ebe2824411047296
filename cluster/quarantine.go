package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/honua-io/honua-gitops/internal/durable"
)

const (
	quarantineMark   = "quarantine"
	quarantineFolder = "quarantined"
)

// quarantine marks a data directory whose log and snapshots are not to be used
// again. The reason is for people.
func quarantine(directory, reason string) error {
	return durable.WriteFile(filepath.Join(directory, quarantineMark), []byte(reason+"\n"))
}

// clearQuarantine moves what was marked away, for an examination, so that this
// node begins as an empty one: it joins as a learner and gets the state of the
// others. Each step may be repeated after a crash; the mark goes last.
func clearQuarantine(directory string) (reason string, err error) {
	mark := filepath.Join(directory, quarantineMark)
	content, err := os.ReadFile(mark)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	aside := filepath.Join(directory, quarantineFolder)
	if _, err := os.Stat(filepath.Join(directory, logFile)); err == nil {
		// An earlier quarantine makes room: a disk holds one, not any number.
		if err := os.RemoveAll(aside); err != nil {
			return "", fmt.Errorf("%w: %w", ErrDataDirectory, err)
		}
	}
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return "", fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	for _, name := range []string{identityFile, snapshotFolder, logFile} {
		err := os.Rename(filepath.Join(directory, name), filepath.Join(aside, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%w: %w", ErrDataDirectory, err)
		}
	}
	if err := errors.Join(durable.SyncDirectory(aside), os.Remove(mark), durable.SyncDirectory(directory)); err != nil {
		return "", fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	return string(content), nil
}
