package cluster

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"slices"
)

// The format of bbolt's files, as far as its soundness can be seen from outside
// (https://github.com/etcd-io/bbolt, internal/common). bbolt itself keeps
// checksums of its two first pages only; of two it takes the one that is left,
// and loses what the other one said. It panics, or loops, where other pages are
// damaged, and makes a bucket anew that it does not find.
const (
	pageHeader    = 16
	pageElement   = 16
	bucketHeader  = 16
	metaSize      = 64
	metaMagic     = 0xED0CDAED
	metaVersion   = 2
	branchPage    = 1
	leafPage      = 2
	bucketElement = 1
	leastPage     = 1 << 10
	mostPage      = 1 << 16
)

// buckets are those of raft-boltdb, sorted, and votes what raft keeps in the
// first: under another name it would not be found, and forgotten.
var (
	buckets = [...]string{"conf", "logs"}
	votes   = [...]string{"CurrentTerm", candidateKey, "LastVoteTerm"}
)

const candidateKey = "LastVoteCand"

// checkLogFile finds out whether the log's file is sound before anything relies
// on it, and without relying on anything in it.
func checkLogFile(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is made
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	if !lockShared(file) {
		return file.Close() // another process is using it, which bbolt will say
	}
	forgetCached(file)
	info, err := file.Stat()
	if err == nil && info.Size() > 0 {
		err = walkBolt(file, info.Size())
	}
	if err != nil {
		err = fmt.Errorf("%w: %s: %w: %s", ErrDamagedLog, path, err, joinAnew)
	}
	return errors.Join(err, file.Close())
}

// boltWalk visits every page that is in use.
type boltWalk struct {
	file     io.ReaderAt
	pageSize int64
	pages    uint64 // in the file, and below the high-water mark
	seen     map[uint64]bool
}

type boltMeta struct {
	pageSize       uint32
	root, end, txn uint64
}

func walkBolt(file io.ReaderAt, size int64) error {
	newest, err := boltMetas(file, size)
	if err != nil {
		return err
	}
	w := &boltWalk{
		file: file, pageSize: int64(newest.pageSize), seen: map[uint64]bool{0: true, 1: true},
		pages: min(newest.end, uint64(size)/uint64(newest.pageSize)),
	}
	var found []string
	err = w.page(newest.root, func(flags uint32, key, value []byte) error {
		found = append(found, string(key))
		if flags != bucketElement || len(value) < bucketHeader {
			return fmt.Errorf("%q is no bucket", key)
		}
		return w.bucket(string(key), value)
	})
	if err == nil && len(found) > 0 && !slices.Equal(found, buckets[:]) {
		err = fmt.Errorf("it has the buckets %q, not %q", found, buckets)
	}
	return err
}

// boltMetas reads both first pages. One that is damaged may have been the newer
// one, with what was acknowledged last.
func boltMetas(file io.ReaderAt, size int64) (newest boltMeta, err error) {
	first, err := readMeta(file, 0)
	if err != nil {
		return newest, err
	}
	second, err := readMeta(file, int64(first.pageSize))
	if err != nil {
		return newest, err
	}
	newest = slices.MaxFunc([]boltMeta{first, second}, func(a, b boltMeta) int { return cmp.Compare(a.txn, b.txn) })
	if first.pageSize != second.pageSize || newest.pageSize < leastPage || newest.pageSize > mostPage || int64(newest.pageSize)*2 > size {
		return newest, errors.New("its page size cannot be right")
	}
	return newest, nil
}

func readMeta(file io.ReaderAt, offset int64) (boltMeta, error) {
	raw := make([]byte, pageHeader+metaSize)
	if _, err := file.ReadAt(raw, offset); err != nil {
		return boltMeta{}, err
	}
	order, meta := binary.NativeEndian, raw[pageHeader:]
	sum := fnv.New64a()
	_, _ = sum.Write(meta[:metaSize-8]) // never fails
	if order.Uint32(meta) != metaMagic || order.Uint32(meta[4:]) != metaVersion || order.Uint64(meta[metaSize-8:]) != sum.Sum64() {
		return boltMeta{}, fmt.Errorf("its page at %d does not match its checksum", offset)
	}
	return boltMeta{
		pageSize: order.Uint32(meta[8:]), root: order.Uint64(meta[16:]), end: order.Uint64(meta[40:]), txn: order.Uint64(meta[48:]),
	}, nil
}

func (w *boltWalk) bucket(name string, value []byte) error {
	check := func(flags uint32, key, _ []byte) error {
		if flags != 0 || name == buckets[0] && !slices.Contains(votes[:], string(key)) {
			return fmt.Errorf("%q does not belong into the bucket %q", key, name)
		}
		return nil
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.page(root, check)
	}
	return w.leaf(value[bucketHeader:], check)
}

// page visits a page and all below it.
func (w *boltWalk) page(id uint64, visit func(flags uint32, key, value []byte) error) error {
	if id >= w.pages || w.seen[id] {
		return fmt.Errorf("page %d is referred to, and is none or another's", id)
	}
	head := make([]byte, pageHeader)
	if _, err := w.file.ReadAt(head, int64(id)*w.pageSize); err != nil {
		return err
	}
	order := binary.NativeEndian
	more := uint64(order.Uint32(head[12:]))
	if order.Uint64(head) != id || id+more >= w.pages {
		return fmt.Errorf("page %d is not what it should be", id)
	}
	for i := range more + 1 {
		w.seen[id+i] = true
	}
	raw := make([]byte, int64(more+1)*w.pageSize)
	if _, err := w.file.ReadAt(raw, int64(id)*w.pageSize); err != nil {
		return err
	}
	var err error
	switch order.Uint16(head[8:]) {
	case leafPage:
		err = w.leaf(raw, visit)
	case branchPage:
		err = w.branch(raw, visit)
	default:
		err = errors.New("it is of no known kind")
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// elements returns the elements of a page, in which what they refer to lies behind them.
func elements(raw []byte) (each [][]byte, err error) {
	if len(raw) < pageHeader {
		return nil, errors.New("it is cut off")
	}
	count := int(binary.NativeEndian.Uint16(raw[10:]))
	if pageHeader+count*pageElement > len(raw) {
		return nil, errors.New("it is cut off")
	}
	for i := range count {
		each = append(each, raw[pageHeader+i*pageElement:])
	}
	return each, nil
}

func (w *boltWalk) branch(raw []byte, visit func(flags uint32, key, value []byte) error) error {
	each, err := elements(raw)
	if err != nil {
		return err
	}
	var before []byte
	for i, e := range each {
		key, err := part(e, uint64(binary.NativeEndian.Uint32(e)), uint64(binary.NativeEndian.Uint32(e[4:])))
		if err != nil {
			return err
		}
		if err := ascending(i, before, key); err != nil {
			return err
		}
		before = key
		if err := w.page(binary.NativeEndian.Uint64(e[8:]), visit); err != nil {
			return err
		}
	}
	return nil
}

func (w *boltWalk) leaf(raw []byte, visit func(flags uint32, key, value []byte) error) error {
	each, err := elements(raw)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	var before []byte
	for i, e := range each {
		at, length := uint64(order.Uint32(e[4:])), uint64(order.Uint32(e[8:]))
		key, err := part(e, at, length)
		if err != nil {
			return err
		}
		value, err := part(e, at+length, uint64(order.Uint32(e[12:])))
		if err != nil {
			return err
		}
		if err := ascending(i, before, key); err != nil {
			return err
		}
		before = key
		if err := visit(order.Uint32(e), key, value); err != nil {
			return err
		}
	}
	return nil
}

func part(element []byte, at, length uint64) ([]byte, error) {
	if at < pageElement || at+length > uint64(len(element)) {
		return nil, errors.New("an element lies outside of it")
	}
	return element[at : at+length], nil
}

func ascending(i int, before, key []byte) error {
	if i > 0 && string(before) >= string(key) {
		return errors.New("its keys are not in order")
	}
	return nil
}
