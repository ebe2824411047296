package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// ErrNotFound: the file has no such text.
var ErrNotFound = errors.New("the text is not in the file")

// FlipBit changes one bit, 0 to 7, of the byte at an offset of a file.
func FlipBit(path string, offset int64, bit uint) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	one := []byte{0}
	_, err = file.ReadAt(one, offset)
	if err == nil {
		one[0] ^= 1 << (bit % 8)
		_, err = file.WriteAt(one, offset)
	}
	return errors.Join(err, file.Close())
}

// FlipIn changes the lowest bit of the first byte of every occurrence of a text in a file, and returns how many there
// were. A database holds a text more than once: in its pages of now, and in those that it has given up.
func FlipIn(path, text string) (int, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	count := 0
	for from := 0; ; count++ {
		at := bytes.Index(content[from:], []byte(text))
		if at < 0 {
			break
		}
		if err := FlipBit(path, int64(from+at), 0); err != nil {
			return count, err
		}
		from += at + len(text)
	}
	if count == 0 {
		return 0, fmt.Errorf("%w: %q in %s", ErrNotFound, text, path)
	}
	return count, nil
}
