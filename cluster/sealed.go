package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// checksumOf is the CRC-32C of a value's JSON, hexadecimal.
func checksumOf(v any) string {
	content, _ := json.Marshal(v) // of structures of texts and numbers: never fails
	return fmt.Sprintf("%08x", crc32.Checksum(content, castagnoli()))
}

// fileOf is a value as one of the small files of the data directory holds it.
func fileOf(v any) ([]byte, error) {
	content, err := json.MarshalIndent(v, "", "  ")
	return append(content, '\n'), err
}

// unmarshalExactly is json.Unmarshal of what has no other members than those that are known: under another name a
// checksum would be passed over in silence.
func unmarshalExactly(content []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// readsAs reports whether a file is, byte for byte, what would be written of what was read in it.
func readsAs(content []byte, v any) bool {
	again, err := fileOf(v)
	return err == nil && bytes.Equal(again, content)
}
