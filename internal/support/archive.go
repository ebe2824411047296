package support

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"time"
)

// Index lists what is in a bundle. It is the last file of the archive, "index.json".
type Index struct {
	// Version is of the program that collected, At when it began, RFC 3339.
	Version string `json:"version"`
	At      string `json:"at"`
	// Addresses are whom it asked.
	Addresses []string `json:"addresses"`
	Files     []Listed `json:"files"`
	// Problems are what could not be collected, by name.
	Problems []Problem `json:"problems"`
}

// Listed is a file of the archive.
type Listed struct {
	Name   string `json:"name"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

// Problem is why a file is not there, or not all of it.
type Problem struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Archive writes a bundle as a gzipped tar.
type Archive struct {
	// Index is completed by Add and written by Close.
	Index Index

	root   string
	at     time.Time
	packed *gzip.Writer
	files  *tar.Writer
}

// NewArchive begins a bundle whose files are below a folder named root.
func NewArchive(to io.Writer, root string, at time.Time, index Index) *Archive {
	index.At, index.Files, index.Problems = at.UTC().Format(time.RFC3339), []Listed{}, []Problem{}
	packed := gzip.NewWriter(to)
	return &Archive{Index: index, root: root, at: at, packed: packed, files: tar.NewWriter(packed)}
}

// errName says that a name would leave the bundle's folder.
var errName = errors.New("its name is not one of a file in the bundle")

// Add writes a file. One without content is listed as a problem alone. Its error
// is that of writing.
func (a *Archive) Add(f File) error {
	name := path.Clean("/" + f.Name)[1:]
	if name == "" || name != f.Name {
		f.Content, f.Err = nil, errName
	}
	if f.Err != nil {
		a.Index.Problems = append(a.Index.Problems, Problem{Name: f.Name, Message: f.Err.Error()})
		if len(f.Content) == 0 {
			return nil
		}
	}
	sum := sha256.Sum256(f.Content)
	a.Index.Files = append(a.Index.Files, Listed{Name: name, Size: len(f.Content), SHA256: hex.EncodeToString(sum[:])})
	return a.write(name, f.Content)
}

func (a *Archive) write(name string, content []byte) error {
	header := &tar.Header{Name: path.Join(a.root, name), Mode: 0o600, Size: int64(len(content)), ModTime: a.at, Format: tar.FormatPAX}
	if err := a.files.WriteHeader(header); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := a.files.Write(content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Close writes the index and ends the archive.
func (a *Archive) Close() error {
	index := JSON("index.json", a.Index)
	if index.Err != nil {
		return index.Err
	}
	return errors.Join(a.write(index.Name, index.Content), a.files.Close(), a.packed.Close())
}
