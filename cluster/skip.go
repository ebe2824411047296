package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/durable"
)

const skipFile = "skip.json"

// ErrSkip says that an entry to skip is not given as INDEX:SHA256.
var ErrSkip = errors.New("the entry to skip is not INDEX:SHA256, as the node that halted names it")

// skips are entries that operators decided not to apply, by index: the SHA-256
// of each, hexadecimal. All nodes have to skip the same.
type skips map[uint64]string

func entryDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func readSkips(directory string) (skips, error) {
	path := filepath.Join(directory, skipFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	s := skips{}
	if err := json.Unmarshal(content, &s); err != nil {
		return nil, fmt.Errorf("%w: %s is damaged: %w: delete it; a node that then halts at an entry names what to skip, as it did before", ErrDataDirectory, path, err)
	}
	return s, nil
}

// Skip has the node of a data directory pass over one entry of its log, which
// it names INDEX:SHA256. The node must not run. Do the same on every node.
func Skip(directory, entry string) error {
	index, digest, err := parseSkip(entry)
	if err != nil {
		return err
	}
	s, err := readSkips(directory)
	if err != nil {
		return err
	}
	if s == nil {
		s = skips{}
	}
	s[index] = digest
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(directory, skipFile), append(content, '\n'))
}

func parseSkip(entry string) (uint64, string, error) {
	number, digest, found := strings.Cut(entry, ":")
	index, err := strconv.ParseUint(number, 10, 64)
	raw, hexErr := hex.DecodeString(digest)
	if !found || err != nil || index == 0 || hexErr != nil || len(raw) != sha256.Size {
		return 0, "", fmt.Errorf("%w: %q", ErrSkip, entry)
	}
	return index, strings.ToLower(digest), nil
}

// skipped is what an entry that is passed over comes to; ok is false for others.
func (s skips) skipped(log *raft.Log) (result fsm.Result, ok bool) {
	if digest := s[log.Index]; digest == "" || digest != entryDigest(log.Data) {
		return fsm.Result{}, false
	}
	return fsm.Result{Index: log.Index, Refusal: &fsm.Refusal{
		Class: fsm.ClassPrecondition, Reason: "skipped", Message: "an operator had this entry skipped",
	}}, true
}
