package fsm

import (
	"bytes"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

func textsField[T any](n protowire.Number, at func(*T) *[]string) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			for _, s := range *at(r) {
				b = protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
			}
			return b
		},
		func(r *T, v wireValue) error {
			*at(r) = append(*at(r), string(v.bytes))
			return nil
		},
	}
}

func blobsField[T any](n protowire.Number, at func(*T) *[][]byte) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			for _, data := range *at(r) {
				b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), data)
			}
			return b
		},
		func(r *T, v wireValue) error {
			*at(r) = append(*at(r), bytes.Clone(v.bytes))
			return nil
		},
	}
}

// bucketsField is as many numbers as the record has room for, packed.
func bucketsField[T any](n protowire.Number, at func(*T) []uint64) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			buckets := at(r)
			if !slices.ContainsFunc(buckets, func(v uint64) bool { return v != 0 }) {
				return b
			}
			b, start := openMessage(b, n)
			for _, v := range buckets {
				b = protowire.AppendVarint(b, v)
			}
			return closeMessage(b, start)
		},
		func(r *T, v wireValue) error {
			rest := v.bytes
			for i, buckets := 0, at(r); i < len(buckets); i++ {
				count, size := protowire.ConsumeVarint(rest)
				if size < 0 {
					return damaged("bucket %d is not readable", i)
				}
				buckets[i], rest = count, rest[size:]
			}
			if len(rest) > 0 {
				return damaged("there are too many buckets")
			}
			return nil
		},
	}
}

// pair is one entry of a map.
type pair struct{ key, value string }

func textMapField[T any](n protowire.Number, at func(*T) *map[string]string) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			m := *at(r)
			for _, key := range slices.Sorted(maps.Keys(m)) {
				opened, start := openMessage(b, n)
				// Both are written when they are empty, too: protobuf does so in maps.
				b = protowire.AppendString(protowire.AppendTag(opened, 1, protowire.BytesType), key)
				b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), m[key])
				b = closeMessage(b, start)
			}
			return b
		},
		func(r *T, v wireValue) error {
			p, err := pairCodec.decode(v.bytes)
			if err != nil {
				return err
			}
			m := at(r)
			if *m == nil {
				*m = map[string]string{}
			}
			(*m)[p.key] = p.value
			return nil
		},
	}
}

var pairCodec = codec[pair]{
	textField(1, func(p *pair) *string { return &p.key }),
	textField(2, func(p *pair) *string { return &p.value }),
}
