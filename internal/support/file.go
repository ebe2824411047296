package support

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is one part of a support bundle.
type File struct {
	// Name is a path with forward slashes, such as "state/production.json".
	Name    string
	Content []byte
	// Err is why the content is not there, or not all of it.
	Err error
}

// MaxFileBytes bounds one file of a bundle.
const MaxFileBytes = 4 << 20

// JSON is a file with a value.
func JSON(name string, value any) File {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return File{Name: name, Err: err}
	}
	return Text(name, content.Bytes())
}

// Text is a file with these bytes, cut off at MaxFileBytes.
func Text(name string, content []byte) File {
	if len(content) > MaxFileBytes {
		return File{Name: name, Content: content[:MaxFileBytes], Err: fmt.Errorf("cut off: it has %d bytes, the first %d are here", len(content), MaxFileBytes)}
	}
	return File{Name: name, Content: content}
}

// Tail is the end of a file on disk, whole lines of at most so many bytes.
func Tail(name, path string, most int64) File {
	source, err := os.Open(path)
	if err != nil {
		return File{Name: name, Err: err}
	}
	defer source.Close() //nolint:errcheck // it was only read
	info, err := source.Stat()
	if err != nil {
		return File{Name: name, Err: err}
	}
	if !info.Mode().IsRegular() {
		return File{Name: name, Err: fmt.Errorf("%s is no regular file", path)}
	}
	return tail(name, source, info.Size(), most)
}

func tail(name string, source io.ReadSeeker, size, most int64) File {
	begin := max(0, size-most)
	if _, err := source.Seek(begin, io.SeekStart); err != nil {
		return File{Name: name, Err: err}
	}
	content, err := io.ReadAll(io.LimitReader(source, most))
	if begin > 0 {
		_, content, _ = bytes.Cut(content, []byte("\n")) // the first line has lost its beginning
	}
	return File{Name: name, Content: content, Err: err}
}

// TailOf is Tail of what a reader gives, such as standard input.
func TailOf(name string, source io.Reader, most int) File {
	content := make([]byte, 0, most)
	block := make([]byte, 64<<10)
	cut := false
	for {
		n, err := source.Read(block)
		content = append(content, block[:n]...)
		if beyond := len(content) - most; beyond > 0 {
			content = append(content[:0], content[beyond:]...)
			cut = true
		}
		if err != nil {
			if cut {
				_, content, _ = bytes.Cut(content, []byte("\n"))
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return File{Name: name, Content: content, Err: err}
		}
	}
}
