package fsm

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"
)

// Each function makes the field of one type. at says where in the record it is,
// for writing and for reading alike.

func textField[T any, S ~string](n protowire.Number, at func(*T) *S) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			s := *at(r)
			if s == "" {
				return b
			}
			return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), string(s))
		},
		func(r *T, v wireValue) error {
			*at(r) = S(v.bytes)
			return nil
		},
	}
}

func blobField[T any](n protowire.Number, at func(*T) *[]byte) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			data := *at(r)
			if len(data) == 0 {
				return b
			}
			return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), data)
		},
		func(r *T, v wireValue) error {
			*at(r) = bytes.Clone(v.bytes)
			return nil
		},
	}
}

func sumField[T any](n protowire.Number, at func(*T) *[32]byte) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			sum := at(r)
			if *sum == [32]byte{} {
				return b
			}
			return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), sum[:])
		},
		func(r *T, v wireValue) error {
			sum := at(r)
			if len(v.bytes) != len(sum) {
				return damaged("a hash has %d bytes", len(v.bytes))
			}
			copy(sum[:], v.bytes)
			return nil
		},
	}
}

// integer is an unsigned number, or a signed one in two's complement.
type integer interface {
	~uint8 | ~uint32 | ~uint64 | ~int64
}

func numberField[T any, N integer](n protowire.Number, at func(*T) *N) field[T] {
	return field[T]{n, protowire.VarintType,
		func(b []byte, r *T) []byte {
			v := *at(r)
			if v == 0 {
				return b
			}
			return appendVarint(b, n, uint64(v))
		},
		func(r *T, v wireValue) error {
			if uint64(N(v.varint)) != v.varint {
				return damaged("%d is too large", v.varint)
			}
			*at(r) = N(v.varint)
			return nil
		},
	}
}

// enumField is a number below count: others would have no name.
func enumField[T any, N ~uint8](n protowire.Number, count int, at func(*T) *N) field[T] {
	f := numberField(n, at)
	read := f.read
	f.read = func(r *T, v wireValue) error {
		if v.varint >= uint64(count) {
			return damaged("%d is not among its values", v.varint)
		}
		return read(r, v)
	}
	return f
}

func flagField[T any](n protowire.Number, at func(*T) *bool) field[T] {
	return field[T]{n, protowire.VarintType,
		func(b []byte, r *T) []byte {
			if !*at(r) {
				return b
			}
			return appendVarint(b, n, 1)
		},
		func(r *T, v wireValue) error {
			if v.varint > 1 {
				return damaged("%d is neither true nor false", v.varint)
			}
			*at(r) = v.varint == 1
			return nil
		},
	}
}
