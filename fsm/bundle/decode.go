package bundle

import (
	"encoding/binary"
	"fmt"
)

// minFile is the least that a file takes: a path of one byte and two lengths.
const minFile = 3

// Decode reads what Encode wrote, and nothing else: paths in order, lengths in
// their shortest form, no bytes after the last file. Otherwise the error is
// ErrMalformed. The contents are parts of encoded, which must not be changed
// while they are in use.
func Decode(encoded []byte) ([]File, error) {
	if len(encoded) < len(magic) || string(encoded[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it does not begin as one of a known version", ErrMalformed)
	}
	r := reader{rest: encoded[len(magic):]}
	count, err := r.length()
	if err != nil {
		return nil, err
	}
	if count > uint64(len(r.rest))/minFile {
		return nil, fmt.Errorf("%w: %d files do not fit into %d bytes", ErrMalformed, count, len(r.rest))
	}
	files := make([]File, 0, count)
	for range count {
		f, err := r.file()
		if err != nil {
			return nil, err
		}
		if n := len(files); n > 0 && files[n-1].Path >= f.Path {
			return nil, fmt.Errorf("%w: %q is out of order", ErrMalformed, f.Path)
		}
		files = append(files, f)
	}
	if len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes follow the last file", ErrMalformed, len(r.rest))
	}
	return files, nil
}

// reader takes an encoding apart from its beginning.
type reader struct{ rest []byte }

func (r *reader) file() (File, error) {
	path, err := r.bytes()
	if err != nil {
		return File{}, err
	}
	if err := checkPath(string(path)); err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	content, err := r.bytes()
	if err != nil {
		return File{}, err
	}
	return File{Path: string(path), Content: content}, nil
}

func (r *reader) bytes() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	if n > uint64(len(r.rest)) {
		return nil, fmt.Errorf("%w: it ends inside a file", ErrMalformed)
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b, nil
}

func (r *reader) length() (uint64, error) {
	n, size := binary.Uvarint(r.rest)
	// A last byte of zero adds nothing: the same number has a shorter form.
	if size <= 0 || (size > 1 && r.rest[size-1] == 0) {
		return 0, fmt.Errorf("%w: a length is not readable", ErrMalformed)
	}
	r.rest = r.rest[size:]
	return n, nil
}
