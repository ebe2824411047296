package gitsync

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// An answer travels from the child as the length of a header, the header in JSON, and the
// contents of the files one after the other. Before the first answer a header alone says that
// everything is there to be read; an error in its place answers all requests. Everything is bounded by the reader, who does not
// trust the child more than what it reads.

// maxHeaderBytes bounds paths, history and contributors.
const maxHeaderBytes = 32 * mib

type answerHeader struct {
	Ready   bool       `json:",omitempty"`
	Error   *wireError `json:",omitempty"`
	Reading *Reading   `json:",omitempty"`
	Paths   []string
	Sizes   []int64
	// PolicySize is -1 if there is no policy.
	PolicySize int64
}

// wireError is an error of this package in a form that survives the pipe.
type wireError struct {
	Code   string
	Text   string
	Path   string
	Reason string
}

// writeAnswer writes what run returned.
func writeAnswer(to io.Writer, reading *Reading, failed error) error {
	header := answerHeader{PolicySize: -1}
	var contents [][]byte
	if failed != nil {
		header.Error = packError(failed)
	} else {
		bare := *reading
		bare.Files, bare.Policy = nil, nil
		header.Reading = &bare
		for _, file := range reading.Files {
			header.Paths = append(header.Paths, file.Path)
			header.Sizes = append(header.Sizes, int64(len(file.Content)))
			contents = append(contents, file.Content)
		}
		if reading.Policy != nil {
			header.PolicySize = int64(len(reading.Policy))
			contents = append(contents, reading.Policy)
		}
	}
	return writeFrame(to, header, contents)
}

// writeReady says that answers follow.
func writeReady(to io.Writer) error {
	return writeFrame(to, answerHeader{Ready: true, PolicySize: -1}, nil)
}

func writeFrame(to io.Writer, header answerHeader, contents [][]byte) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	if len(text) > math.MaxInt32 {
		return fmt.Errorf("header of %d bytes", len(text))
	}
	prefix := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	for _, part := range append([][]byte{prefix, text}, contents...) {
		if _, err := to.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// readAnswer reads what writeAnswer wrote. An answer that is cut off or oversized is ErrWorker.
func readAnswer(from io.Reader, limits Limits) (*Reading, error) {
	header, err := readHeader(from)
	if err != nil {
		return nil, err
	}
	if header.Error != nil {
		return nil, header.Error.unpack()
	}
	if header.Reading == nil || len(header.Paths) != len(header.Sizes) {
		return nil, fmt.Errorf("%w: incomplete header", ErrWorker)
	}
	return header.contents(from, limits)
}

// readReady reads what writeReady wrote, or the error in its place.
func readReady(from io.Reader) error {
	header, err := readHeader(from)
	switch {
	case err != nil:
		return err
	case header.Error != nil:
		return header.Error.unpack()
	case !header.Ready:
		return fmt.Errorf("%w: an answer before its time", ErrWorker)
	}
	return nil
}

func readHeader(from io.Reader) (answerHeader, error) {
	var header answerHeader
	var prefix [4]byte
	if _, err := io.ReadFull(from, prefix[:]); err != nil {
		return header, fmt.Errorf("%w: no answer", ErrWorker)
	}
	size := binary.BigEndian.Uint32(prefix[:])
	if size > maxHeaderBytes {
		return header, fmt.Errorf("%w: header of %d bytes", ErrWorker, size)
	}
	// Grown as it arrives: the length alone must not cost memory.
	var text bytes.Buffer
	if n, err := io.CopyN(&text, from, int64(size)); err != nil {
		return header, fmt.Errorf("%w: answer cut off after %d bytes", ErrWorker, n)
	}
	if err := json.Unmarshal(text.Bytes(), &header); err != nil {
		return header, fmt.Errorf("%w: %w", ErrWorker, err)
	}
	return header, nil
}

// contents reads the files that the header announces.
func (h answerHeader) contents(from io.Reader, limits Limits) (*Reading, error) {
	gather := gathering{limits: limits}
	reading := h.Reading
	reading.Files, reading.Policy = nil, nil
	for i, path := range h.Paths {
		if h.Sizes[i] < 0 || h.Sizes[i] > limits.MaxFileBytes || gather.room(path, h.Sizes[i]) != nil {
			return nil, fmt.Errorf("%w: more content than allowed", ErrWorker)
		}
		content := make([]byte, h.Sizes[i])
		if _, err := io.ReadFull(from, content); err != nil {
			return nil, fmt.Errorf("%w: content cut off", ErrWorker)
		}
		if err := gather.add(path, content); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWorker, err)
		}
	}
	reading.Files = gather.files
	if h.PolicySize > maxPolicyBytes {
		return nil, fmt.Errorf("%w: more content than allowed", ErrWorker)
	}
	if h.PolicySize >= 0 {
		reading.Policy = make([]byte, h.PolicySize)
		if _, err := io.ReadFull(from, reading.Policy); err != nil {
			return nil, fmt.Errorf("%w: content cut off", ErrWorker)
		}
	}
	return reading, nil
}
