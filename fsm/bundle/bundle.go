package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// File is one file of a content.
type File struct {
	// Path is relative and slash-separated. What no repository holds, such as
	// the normalised policy, lies under ".policy/".
	Path    string
	Content []byte
}

// MaxPath is the longest path of a file, bytes.
const MaxPath = 4096

// magic begins every encoding; its last byte is the version.
const magic = "HONUABDL\x01"

// Errors of encoding and decoding.
var (
	// ErrPath is a path that no content may hold.
	ErrPath = errors.New("the path cannot be part of a content")
	// ErrDuplicate is a path that is there twice.
	ErrDuplicate = errors.New("the path is there twice")
	// ErrMalformed is bytes that Encode did not write.
	ErrMalformed = errors.New("the content is malformed")
)

// Encode writes files in their canonical form: the magic, the number of files
// and, in the order of their paths, each path and content with its length. The
// given slice is not changed. The errors are ErrPath and ErrDuplicate.
func Encode(files []File) ([]byte, error) {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	size := len(magic) + binary.MaxVarintLen64
	for i, f := range sorted {
		if err := checkPath(f.Path); err != nil {
			return nil, err
		}
		if i > 0 && sorted[i-1].Path == f.Path {
			return nil, fmt.Errorf("%w: %q", ErrDuplicate, f.Path)
		}
		size += len(f.Path) + len(f.Content) + 2*binary.MaxVarintLen64
	}
	b := append(make([]byte, 0, size), magic...)
	b = binary.AppendUvarint(b, uint64(len(sorted)))
	for _, f := range sorted {
		b = binary.AppendUvarint(b, uint64(len(f.Path)))
		b = append(b, f.Path...)
		b = binary.AppendUvarint(b, uint64(len(f.Content)))
		b = append(b, f.Content...)
	}
	return b, nil
}

// Digest is the SHA-256 of an encoding, lower-case hexadecimal.
func Digest(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// checkPath refuses what could reach outside of a directory or could not be
// shown to a person.
func checkPath(path string) error {
	if len(path) > MaxPath || path == "." || !fs.ValidPath(path) || strings.ContainsRune(path, 0) {
		return fmt.Errorf("%w: %.64q", ErrPath, path)
	}
	return nil
}
