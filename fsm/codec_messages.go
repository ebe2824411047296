package fsm

import "google.golang.org/protobuf/encoding/protowire"

// inlineField is a record inside another; absent if all of it is zero.
func inlineField[T, M any](n protowire.Number, c codec[M], at func(*T) *M) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			opened, start := openMessage(b, n)
			if filled := c.append(opened, at(r)); len(filled) > start {
				return closeMessage(filled, start)
			}
			return opened[:len(b)]
		},
		func(r *T, v wireValue) error { return c.read(v.bytes, at(r), v.shared) },
	}
}

// optionalField is a record that may be there or not; one that is all zero is
// there all the same.
func optionalField[T, M any](n protowire.Number, c codec[M], at func(*T) **M) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			m := *at(r)
			if m == nil {
				return b
			}
			b, start := openMessage(b, n)
			return closeMessage(c.append(b, m), start)
		},
		func(r *T, v wireValue) error {
			*at(r) = new(M)
			return c.read(v.bytes, *at(r), v.shared)
		},
	}
}

func policyField[T any](n protowire.Number, at func(*T) **Policy) field[T] {
	f := optionalField(n, policyCodec, at)
	read := f.read
	f.read = func(r *T, v wireValue) error {
		if known := v.shared[string(v.bytes)]; known != nil {
			*at(r) = known
			return nil
		}
		if err := read(r, v); err != nil {
			return err
		}
		if v.shared != nil {
			v.shared[string(v.bytes)] = *at(r)
		}
		return nil
	}
	return f
}

func listField[T, M any](n protowire.Number, c codec[M], at func(*T) *[]M) field[T] {
	return field[T]{n, protowire.BytesType,
		func(b []byte, r *T) []byte {
			list := *at(r)
			for i := range list {
				opened, start := openMessage(b, n)
				b = closeMessage(c.append(opened, &list[i]), start)
			}
			return b
		},
		func(r *T, v wireValue) error {
			list := at(r)
			*list = append(*list, *new(M))
			return c.read(v.bytes, &(*list)[len(*list)-1], v.shared)
		},
	}
}
