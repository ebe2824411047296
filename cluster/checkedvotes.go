package cluster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// checkedVotes keeps a node's term and votes with a checksum: with a flipped bit
// in them it could vote twice in one term (I15).
type checkedVotes struct {
	raft.StableStore
	fuse *fuse
}

// numberSize is the size of a number on disk, without its checksum.
const numberSize = 8

// textMark begins a text that has a checksum; no candidate's address does.
var textMark = [...]byte{0, 0}

func valueChecksum(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Checksum(slices.Concat(key, []byte{0}, value), castagnoli()))
}

// SetUint64 writes a number.
func (v *checkedVotes) SetUint64(key []byte, number uint64) error {
	value := binary.BigEndian.AppendUint64(nil, number)
	return v.put(key, append(value, valueChecksum(key, value)...))
}

// Set writes a text.
func (v *checkedVotes) Set(key, value []byte) error {
	return v.put(key, slices.Concat(textMark[:], value, valueChecksum(key, value)))
}

func (v *checkedVotes) put(key, content []byte) error {
	return v.fuse.write(logFile, func() error { return v.StableStore.Set(key, content) })
}

// GetUint64 reads a number. One from before the checksum is taken as it is.
func (v *checkedVotes) GetUint64(key []byte) (uint64, error) {
	content, err := v.StableStore.Get(key)
	if err != nil {
		return 0, err
	}
	value, sum := content, []byte(nil)
	if len(content) > numberSize {
		value, sum = content[:numberSize], content[numberSize:]
	}
	if len(value) != numberSize || len(sum) > 0 && !bytes.Equal(sum, valueChecksum(key, value)) {
		return 0, v.damaged(key)
	}
	return binary.BigEndian.Uint64(value), nil
}

// Get reads a text. One from before the checksum, a printable one, is taken as it is.
func (v *checkedVotes) Get(key []byte) ([]byte, error) {
	content, err := v.StableStore.Get(key)
	if err != nil {
		return nil, err
	}
	if !bytes.ContainsFunc(content, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return content, nil
	}
	rest, marked := bytes.CutPrefix(content, textMark[:])
	end := len(rest) - checksumSize
	if !marked || end < 0 || !bytes.Equal(rest[end:], valueChecksum(key, rest[:end])) {
		return nil, v.damaged(key)
	}
	return rest[:end], nil
}

// verify reads all that is there, before raft does.
func (v *checkedVotes) verify() error {
	for _, key := range votes {
		var err error
		if key == candidateKey {
			_, err = v.Get([]byte(key))
		} else {
			_, err = v.GetUint64([]byte(key))
		}
		if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
			return err
		}
	}
	return nil
}

func (v *checkedVotes) damaged(key []byte) error {
	return v.fuse.blow(fmt.Errorf("%w: %s: %s does not match its checksum: %s", ErrDamagedLog, logFile, key, joinAnew))
}
