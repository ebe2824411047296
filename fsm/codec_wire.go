package fsm

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The encoding of a record is part of the state hash, which nodes of different
// builds compare (I11). That rules out the protobuf library's marshaller, whose
// output may change between its releases even where it is deterministic. The
// fields are written here, by tables that follow snapshot.proto; what comes out
// is an ordinary protobuf message.

// wireValue is one field as it is on the wire: a varint, or bytes that are only
// valid until the read that was given them returns.
type wireValue struct {
	varint uint64
	bytes  []byte
	shared sharedPolicies
}

// sharedPolicies are those that were read already, by their encoding, so that
// all records which have one policy get the same: an environment's deployments
// mostly do, and a restart would otherwise multiply the memory that it takes.
// Nil shares nothing.
type sharedPolicies map[string]*Policy

// field is one field of a record. write appends it with its tag, unless it has
// its zero value; read sets it, or adds to it if it is repeated.
type field[T any] struct {
	number protowire.Number
	wire   protowire.Type
	write  func(b []byte, record *T) []byte
	read   func(record *T, v wireValue) error
}

// codec is the fields of a record, in the order of their numbers.
type codec[T any] []field[T]

// recordSize is what most records fit into.
const recordSize = 512

func (c codec[T]) encode(record *T) []byte {
	return c.append(make([]byte, 0, recordSize), record)
}

func (c codec[T]) append(b []byte, record *T) []byte {
	for i := range c {
		b = c[i].write(b, record)
	}
	return b
}

func (c codec[T]) decode(b []byte) (*T, error) {
	record := new(T)
	if err := c.read(b, record, nil); err != nil {
		return nil, err
	}
	return record, nil
}

// read sets the fields that b holds. It takes them in the order that append
// writes them in, and no others: a field that it does not know would be lost.
func (c codec[T]) read(b []byte, record *T, shared sharedPolicies) error {
	for at := 0; len(b) > 0; {
		number, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			return damaged("a field's tag is not readable: %v", protowire.ParseError(n))
		}
		for at < len(c) && c[at].number < number {
			at++
		}
		if at == len(c) || c[at].number != number || c[at].wire != wire {
			return damaged("field %d is unknown or out of order", number)
		}
		v, size, err := consume(b[n:], wire)
		if err != nil {
			return fmt.Errorf("field %d: %w", number, err)
		}
		v.shared = shared
		if err := c[at].read(record, v); err != nil {
			return fmt.Errorf("field %d: %w", number, err)
		}
		b = b[n+size:]
	}
	return nil
}

func consume(b []byte, wire protowire.Type) (v wireValue, n int, err error) {
	switch wire {
	case protowire.VarintType:
		v.varint, n = protowire.ConsumeVarint(b)
	case protowire.BytesType:
		v.bytes, n = protowire.ConsumeBytes(b)
	default:
		return v, 0, damaged("wire type %d is not in use", wire)
	}
	if n < 0 {
		return v, 0, damaged("%v", protowire.ParseError(n))
	}
	return v, n, nil
}

func appendVarint(b []byte, n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

// openMessage begins a field whose length is not known yet; its content is
// appended next, and closeMessage is told where it began.
func openMessage(b []byte, n protowire.Number) (opened []byte, start int) {
	b = protowire.AppendTag(b, n, protowire.BytesType)
	return append(b, 0), len(b) + 1
}

// closeMessage puts the length before the content. One byte was left for it,
// which is enough for most; a longer one moves the content.
func closeMessage(b []byte, start int) []byte {
	size := len(b) - start
	extra := protowire.SizeVarint(uint64(size)) - 1
	if extra > 0 {
		var room [8]byte
		b = append(b, room[:extra]...)
		copy(b[start+extra:], b[start:start+size])
	}
	protowire.AppendVarint(b[:start-1], uint64(size))
	return b
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshotDamaged, fmt.Sprintf(format, args...))
}
