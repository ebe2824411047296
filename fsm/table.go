package fsm

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"slices"
	"sync"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// setHash is the sum, modulo 2^256 by lanes, of the hashes of the members of a
// set. It changes in constant time when a member does, and does not depend on
// the order in which members came (Clarke et al., "Incremental Multiset Hash
// Functions", ASIACRYPT 2003). It finds divergence between nodes (I11); the
// audit chain, not this, is what finds tampering.
type setHash [4]uint64

func (h setHash) plus(o setHash) setHash {
	for i := range h {
		h[i] += o[i]
	}
	return h
}

func (h setHash) minus(o setHash) setHash {
	for i := range h {
		h[i] -= o[i]
	}
	return h
}

func memberHash(table byte, key string, encoded []byte) setHash {
	digest := sha256.New()
	digest.Write([]byte{table})
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(key)))
	digest.Write(size[:])
	digest.Write([]byte(key))
	digest.Write(encoded)
	var sum [sha256.Size]byte
	digest.Sum(sum[:0])
	var h setHash
	for i := range h {
		h[i] = binary.BigEndian.Uint64(sum[8*i:])
	}
	return h
}

// row is a record with its hash, so that replacing it encodes it once; a record
// of an index has none, one that was just put has zero until all is done. It does
// not say of which type the record is, so that there is one kind of tree for all
// tables: one for each type made every package that imports this one compile
// them all again.
type row struct {
	value any
	hash  *setHash
}

// schema says how one table's records are named and encoded. A table without an
// id is an index of another one and stays out of the state hash.
type schema[T any] struct {
	id     byte
	key    func(*T) string
	append func([]byte, *T) []byte
}

// table is an immutable, ordered map of records.
type table[T any] struct {
	schema *schema[T]
	tree   *iradix.Tree[row]
	hash   setHash
}

func newTable[T any](s *schema[T]) table[T] {
	return table[T]{schema: s, tree: iradix.New[row]()}
}

func (t table[T]) get(key string) *T {
	r, ok := t.tree.Get([]byte(key))
	if !ok {
		return nil
	}
	return r.value.(*T)
}

func (t table[T]) len() int { return t.tree.Len() }

// first is the record with the smallest key, nil if there is none.
func (t table[T]) first() *T {
	_, r, ok := t.tree.Root().Minimum()
	if !ok {
		return nil
	}
	return r.value.(*T)
}

// all yields the records with a prefix, in the order of their keys.
func (t table[T]) all(prefix string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it := t.tree.Root().Iterator()
		it.SeekPrefix([]byte(prefix))
		for {
			_, r, ok := it.Next()
			if !ok || !yield(r.value.(*T)) {
				return
			}
		}
	}
}

// from yields the records with a prefix whose key is at least start.
func (t table[T]) from(prefix, start string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it := t.tree.Root().Iterator()
		it.SeekLowerBound([]byte(start))
		for {
			k, r, ok := it.Next()
			if !ok || len(k) < len(prefix) || string(k[:len(prefix)]) != prefix || !yield(r.value.(*T)) {
				return
			}
		}
	}
}

// back yields the records with a prefix whose key is at most end, in reverse.
func (t table[T]) back(prefix, end string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it := t.tree.Root().ReverseIterator()
		it.SeekReverseLowerBound([]byte(end))
		for {
			k, r, ok := it.Previous()
			if !ok || len(k) < len(prefix) || string(k[:len(prefix)]) != prefix || !yield(r.value.(*T)) {
				return
			}
		}
	}
}

// edit is a table under change; it belongs to one Apply. Records that it puts are
// hashed when all is done: a rehearsal comes to nothing, and many a record is put
// more than once.
type edit[T any] struct {
	table[T]
	txn *iradix.Txn[row]
	// unhashed are the records that were put, and neither replaced nor dropped since.
	unhashed []row
}

func (t table[T]) edit() edit[T] { return edit[T]{table: t} }

func (e *edit[T]) begin() *iradix.Txn[row] {
	if e.txn == nil {
		e.txn = e.tree.Txn()
	}
	return e.txn
}

func (e *edit[T]) get(key string) *T {
	if e.txn == nil {
		return e.table.get(key)
	}
	r, ok := e.txn.Get([]byte(key))
	if !ok {
		return nil
	}
	return r.value.(*T)
}

func (e *edit[T]) put(value *T) {
	r := row{value: value}
	if e.schema.id != 0 {
		r.hash = new(setHash)
		e.unhashed = append(e.unhashed, r)
	}
	if old, replaced := e.begin().Insert([]byte(e.schema.key(value)), r); replaced {
		e.forget(old)
	}
}

func (e *edit[T]) drop(key string) {
	if old, ok := e.begin().Delete([]byte(key)); ok {
		e.forget(old)
	}
}

// forget takes a record out of the hash, or out of those that are still to be hashed.
func (e *edit[T]) forget(old row) {
	switch {
	case old.hash == nil:
	case *old.hash != setHash{}:
		e.hash = e.hash.minus(*old.hash)
	default:
		e.unhashed = slices.DeleteFunc(e.unhashed, func(r row) bool { return r.hash == old.hash })
	}
}

// encodings are buffers for what is encoded for a hash alone.
var encodings = sync.Pool{New: func() any { return new([]byte) }}

// hashed is the table after the change, with its hash.
func (e *edit[T]) hashed() table[T] {
	if len(e.unhashed) == 0 {
		return e.now()
	}
	encoded := encodings.Get().(*[]byte)
	defer encodings.Put(encoded)
	for _, r := range e.unhashed {
		value := r.value.(*T)
		*encoded = e.schema.append((*encoded)[:0], value)
		*r.hash = memberHash(e.schema.id, e.schema.key(value), *encoded)
		e.hash = e.hash.plus(*r.hash)
	}
	e.unhashed = nil
	return e.now()
}

// now is the table as it stands inside the change; iterators of it stay valid
// while the change goes on.
func (e *edit[T]) now() table[T] {
	if e.txn == nil {
		return e.table
	}
	e.tree = e.txn.CommitOnly()
	e.txn = nil
	return e.table
}

// join makes a key of parts; the separator sorts before every other byte, so
// that one name's records never lie among another's.
func join(parts ...string) string {
	n := len(parts)
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n)
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	return string(b)
}

// number makes a key that sorts as the number does. Hexadecimal digits rather
// than bytes: a put copies the nodes on its way, and one with 16 children is
// copied a great deal faster than one with 256.
func number(n uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[n&0xf]
		n >>= 4
	}
	return string(b[:])
}
