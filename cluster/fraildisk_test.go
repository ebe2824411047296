package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// frailDisk keeps a node's log and votes in memory: it is slow at times, it
// fails when it is told to, and it loses what was being written when the machine
// dies. What a write has returned for is safe, unless the disk lies.
type frailDisk struct {
	// lies says that it returns before anything is safe: planted, to show that
	// the checks find it.
	lies bool

	mu     sync.Mutex
	random *rand.Rand
	life   int
	fails  bool
	slow   time.Duration
	// ended is closed when this life's process is gone.
	ended chan struct{}
	now   kept
	// safe is what a lying disk has after a crash.
	safe kept
}

// kept is what is on the disk.
type kept struct {
	entries map[uint64]raft.Log
	values  map[string][]byte
}

func (k kept) clone() kept { return kept{maps.Clone(k.entries), maps.Clone(k.values)} }

func newFrailDisk(random *rand.Rand) *frailDisk {
	empty := kept{map[uint64]raft.Log{}, map[string][]byte{}}
	return &frailDisk{random: random, now: empty, safe: empty.clone(), ended: make(chan struct{})}
}

// crash is the death of the machine. What is left of its process, which a test
// cannot kill, believes that it writes: nobody hears of that any more.
func (d *frailDisk) crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.life++
	close(d.ended)
	d.ended = make(chan struct{})
	d.fails, d.slow = false, 0
	if d.lies {
		d.now = d.safe.clone()
	}
}

// fail lets the next write fail.
func (d *frailDisk) fail() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails = true
}

// delay lets every write take so long, until it is changed.
func (d *frailDisk) delay(slow time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slow = slow
}

var errBroken = errors.New("input/output error")

// frailStore is a disk as one life of a process has it.
type frailStore struct {
	disk *frailDisk
	life int
}

// write changes what is kept, with all that goes wrong on the way: it is there
// or not if the process dies or the disk fails meanwhile.
func (s frailStore) write(change func(kept)) error {
	d := s.disk
	d.mu.Lock()
	slow, early := d.slow, d.random.IntN(2) == 0
	fails := d.fails && d.life == s.life
	if slow == 0 {
		slow = time.Duration(d.random.IntN(1500)) * time.Microsecond
	}
	if fails {
		d.fails = false
	}
	if early && d.life == s.life {
		change(d.now)
	}
	d.mu.Unlock()
	time.Sleep(slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.life != s.life:
		return nil
	case fails:
		return errBroken
	case !early:
		change(d.now)
	}
	if d.lies && d.random.IntN(6) == 0 {
		d.safe = d.now.clone()
	}
	return nil
}

func (s frailStore) read(look func(kept) error) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	return look(s.disk.now)
}

func (s frailStore) bounds() (first, last uint64) {
	_ = s.read(func(k kept) error {
		for index := range k.entries {
			if first == 0 || index < first {
				first = index
			}
			last = max(last, index)
		}
		return nil
	})
	return first, last
}

func (s frailStore) FirstIndex() (uint64, error) {
	first, _ := s.bounds()
	return first, nil
}

func (s frailStore) LastIndex() (uint64, error) {
	_, last := s.bounds()
	return last, nil
}

func (s frailStore) GetLog(index uint64, log *raft.Log) error {
	return s.read(func(k kept) error {
		found, ok := k.entries[index]
		if !ok {
			return raft.ErrLogNotFound
		}
		*log = found
		return nil
	})
}

func (s frailStore) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

func (s frailStore) StoreLogs(logs []*raft.Log) error {
	return s.write(func(k kept) {
		for _, log := range logs {
			k.entries[log.Index] = *log
		}
	})
}

func (s frailStore) DeleteRange(low, high uint64) error {
	return s.write(func(k kept) {
		maps.DeleteFunc(k.entries, func(index uint64, _ raft.Log) bool { return index >= low && index <= high })
	})
}

func (s frailStore) Set(key, value []byte) error {
	return s.write(func(k kept) { k.values[string(key)] = bytes.Clone(value) })
}

func (s frailStore) Get(key []byte) (value []byte, err error) {
	err = s.read(func(k kept) error {
		found, ok := k.values[string(key)]
		if !ok {
			return raftboltdb.ErrKeyNotFound
		}
		value = bytes.Clone(found)
		return nil
	})
	return value, err
}

func (s frailStore) SetUint64(key []byte, value uint64) error {
	return s.Set(key, fmt.Append(nil, value))
}

func (s frailStore) GetUint64(key []byte) (number uint64, err error) {
	value, err := s.Get(key)
	if err == nil {
		_, err = fmt.Sscan(string(value), &number)
	}
	return number, err
}

// open is Open, on the machine's frail disk if it has one.
func (m *machine) open() (*Node, error) {
	if m.disk == nil {
		return Open(m.cfg)
	}
	cfg := m.cfg.withDefaults()
	if err := os.MkdirAll(cfg.DataDirectory, 0o700); err != nil {
		return nil, err
	}
	m.disk.mu.Lock()
	store, ended := frailStore{m.disk, m.disk.life}, m.disk.ended
	m.disk.mu.Unlock()
	s := newStorage(store, store)
	if err := s.open(cfg.DataDirectory, cfg.Logger); err != nil {
		return nil, err
	}
	s.fuse.end = func(error) {
		<-ended // where the product exits: what it would have done after that is not done
		s.fuse.mu.Lock()
		defer s.fuse.mu.Unlock()
		s.fuse.open = nil
	}
	return newNode(cfg, s)
}
