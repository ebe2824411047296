package node

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/honua-io/honua-gitops/internal/durable"
	"github.com/honua-io/honua-gitops/internal/planted"
)

// Phase is a step of an activation on this node.
type Phase string

// The phases of the journal. Intent comes before the swap and Active after it;
// Resumed is loading at start, which is no activation (I2).
const (
	Intent  Phase = "Intent"
	Active  Phase = "Active"
	Resumed Phase = "Resumed"
)

// Entry is one line of the journal.
type Entry struct {
	// Time is RFC 3339 in UTC, by this node's clock.
	Time            string `json:"time"`
	Incarnation     string `json:"incarnation"`
	Epoch           uint64 `json:"epoch"`
	Environment     string `json:"environment"`
	ActivationIndex uint64 `json:"activationIndex"`
	Term            uint64 `json:"term"`
	Deployment      string `json:"deployment"`
	Commit          string `json:"commit"`
	Digest          string `json:"digest"`
	Phase           Phase  `json:"phase"`
	// Recovered: an Intent had no Active when the process started again.
	Recovered bool `json:"recovered,omitempty"`
	// Checksum is the CRC-32C of the line without it, hexadecimal: a flipped bit
	// may leave a line that can be read. Empty in lines from before there was one,
	// and wherever an Entry is not a line.
	Checksum string `json:"checksum,omitempty"`
}

// checksum is what belongs into Checksum.
func (e Entry) checksum() (string, error) {
	e.Checksum = ""
	line, err := json.Marshal(e)
	return fmt.Sprintf("%08x", crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli))), err
}

// after reports whether an activation comes after the one of the entry.
func (e Entry) after(epoch, index uint64) bool {
	return epoch > e.Epoch || (epoch == e.Epoch && index > e.ActivationIndex)
}

// ErrJournal is a journal that cannot be read or written.
var ErrJournal = errors.New("the activation journal")

// Journal is the append-only record of what this node activated. Every line is
// on disk before the step that it announces. It belongs to one goroutine.
type Journal struct {
	file durable.File
	// broken is set by the first failed write: what a failed fsync left on disk
	// is not known, so nothing is written after it.
	broken error
}

// OpenJournal opens or creates a journal and returns the last entry of each
// environment. A line torn by a crash at its end is cut off: what it announced
// had not begun. Damage anywhere else is an error that names the line.
func OpenJournal(files durable.Files, path string) (*Journal, map[string]Entry, error) {
	file, err := files.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	last, size, err := readJournal(file)
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err == nil {
		err = files.SyncDirectory(filepath.Dir(path))
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, fmt.Errorf("%w %s: %w", ErrJournal, path, err)
	}
	return &Journal{file: file}, last, nil
}

// journalRemedy is what to do about a damaged journal. Without it the node does
// not know what it activated; a new incarnation of it need not.
const journalRemedy = "move the data directory away and let this node join anew"

// whole reports whether what has no end is a whole line, whose end was damaged:
// a crash leaves less, or zeros, which no flipped bit makes of an end.
func whole(line []byte) bool {
	if len(line) == 0 || line[len(line)-1] == 0 {
		return false
	}
	_, err := ParseEntry(line[:len(line)-1])
	return err == nil
}

// readJournal returns the last entries and the length of what is whole.
func readJournal(r io.Reader) (last map[string]Entry, size int64, err error) {
	last = map[string]Entry{}
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && !whole(line) {
			return last, size, nil
		} else if errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("line %d is damaged at its end: %s", number, journalRemedy)
		}
		if err != nil {
			return nil, 0, err
		}
		entry, err := ParseEntry(line)
		if err != nil {
			return nil, 0, fmt.Errorf("line %d is damaged (%w): %s", number, err, journalRemedy)
		}
		size += int64(len(line))
		last[entry.Environment] = entry
	}
}

// ParseEntry reads one line.
func ParseEntry(line []byte) (Entry, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	var e Entry
	if err := decoder.Decode(&e); err != nil {
		return Entry{}, err
	}
	if decoder.More() {
		return Entry{}, errors.New("something follows the entry")
	}
	switch e.Phase {
	case Intent, Active, Resumed:
	default:
		return Entry{}, fmt.Errorf("phase %q", e.Phase)
	}
	if e.Environment == "" || e.ActivationIndex == 0 || e.Digest == "" {
		return Entry{}, errors.New("environment, activationIndex or digest is missing")
	}
	if e.Checksum == "" {
		return e, nil
	}
	sum, err := e.checksum()
	if err == nil && sum != e.Checksum {
		err = errors.New("it does not match its checksum")
	}
	e.Checksum = ""
	return e, err
}

// Append writes lines, one after another, and waits until they are on disk. Of
// those that were being written in a crash the first few may be there.
func (j *Journal) Append(entries ...Entry) error {
	if j.broken != nil || len(entries) == 0 {
		return j.broken
	}
	var lines []byte
	for _, e := range entries {
		line, err := e.line()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrJournal, err)
		}
		lines = append(lines, line...)
	}
	if _, err := j.file.Write(lines); err != nil {
		j.broken = fmt.Errorf("%w: %w", ErrJournal, err)
		return j.broken
	}
	if planted.On(planted.SkipSync) {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		j.broken = fmt.Errorf("%w: %w", ErrJournal, err)
		return j.broken
	}
	return nil
}

// line is the entry as it stands in the journal, its end included.
func (e Entry) line() ([]byte, error) {
	sum, err := e.checksum()
	if err != nil {
		return nil, err
	}
	e.Checksum = sum
	line, err := json.Marshal(e)
	return append(line, '\n'), err
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
