package cluster

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

var flips = flag.Int("flips", 600, "how many bits of a log to flip, one at a time; 0: all")

// contents is all that raft keeps in its log's file, as text.
func contents(s *storage) (string, error) {
	var b strings.Builder
	first, err := s.checked.FirstIndex()
	if err != nil {
		return "", err
	}
	last, err := s.checked.LastIndex()
	if err != nil {
		return "", err
	}
	fmt.Fprintln(&b, first, last)
	for index := first; index <= last; index++ {
		var log raft.Log
		if err := s.checked.GetLog(index, &log); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%d %d %d %q %x\n", log.Index, log.Term, log.Type, log.Data, log.Extensions)
	}
	term, err := s.votes.GetUint64([]byte("CurrentTerm"))
	if err != nil {
		return "", err
	}
	voted, err := s.votes.Get([]byte("LastVoteCand"))
	fmt.Fprintln(&b, term, string(voted))
	return b.String(), err
}

// usedLog makes a log that has seen changes: its file holds pages that were given up.
func usedLog(t *testing.T, dir string) string {
	t.Helper()
	s := testStorage(t, dir)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.votes.SetUint64([]byte("CurrentTerm"), 7))
	must(s.votes.Set([]byte("LastVoteCand"), []byte("10.0.0.1:7701")))
	for index := uint64(1); index <= 24; index++ {
		log := command(index, fmt.Sprintf("entry %d %s", index, strings.Repeat("x", int(index*40))))
		switch index % 5 {
		case 3:
			log = &raft.Log{Index: index, Term: 2, Type: raft.LogNoop}
		case 4:
			log = &raft.Log{Index: index, Term: 3, Type: raft.LogConfiguration, Data: []byte("node1 10.0.0.1:7701 voter")}
		}
		must(s.log.StoreLog(log))
	}
	must(s.log.DeleteRange(1, 3))
	must(s.votes.SetUint64([]byte("CurrentTerm"), 8))
	want, err := contents(s)
	must(err)
	must(s.close())
	return want
}

// A flipped bit anywhere in the log's file is found, or is where nothing is.
func TestFlippedBitInTheLogIsFound(t *testing.T) {
	dir := t.TempDir()
	want := usedLog(t, dir)
	path := filepath.Join(dir, logFile)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	step := 1
	if bits := len(sound) * 8; *flips > 0 && bits > *flips {
		step = bits / *flips | 1
	}
	found := 0
	for bit := 0; bit < len(sound)*8; bit += step {
		damaged := bytes.Clone(sound)
		damaged[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openStorage(dir, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			if !errors.Is(err, ErrDamagedLog) || !strings.Contains(err.Error(), joinAnew) {
				t.Errorf("bit %d: %v", bit, err)
			}
			found++
			continue
		}
		if got, err := contents(s); err != nil || got != want {
			t.Errorf("bit %d of byte %d of page %d is not found: %v\n%.400s", bit%8, bit/8%4096, bit/8/4096, err, got)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("no flipped bit was found")
	}
	t.Logf("%d of %d flipped bits matter", found, (len(sound)*8+step-1)/step)
}
