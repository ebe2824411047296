package main

import (
	"fmt"
	"io"
	"os"
)

// maxInput bounds a file that a command line reads whole, bytes.
const maxInput = 16 << 20

// readInput reads a file that is named on the command line.
func readInput(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(io.LimitReader(file, maxInput+1))
	if err == nil && len(content) > maxInput {
		err = fmt.Errorf("%s has more than %d bytes", path, maxInput)
	}
	return content, err
}
