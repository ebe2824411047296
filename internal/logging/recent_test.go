package logging

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestRecent(t *testing.T) {
	for _, test := range []struct {
		most  int
		lines []string
		want  string
	}{
		{100, nil, ""},
		{100, []string{"one\n", "two\n"}, "one\ntwo\n"},
		{10, []string{"one\n", "two\n", "three\n"}, "three\n"},
		{12, []string{"one\n", "two\n", "three\n"}, "two\nthree\n"},
		{8, []string{"one\n", "two\n", "too long to keep\n"}, ""},
		{8, []string{"too long to keep\n", "one\n"}, "one\n"},
		{1, []string{"one\n"}, ""},
	} {
		r := NewRecent(test.most)
		for _, line := range test.lines {
			if n, err := r.Write([]byte(line)); n != len(line) || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
		}
		if got := string(r.Bytes()); got != test.want {
			t.Errorf("%d bytes of %q: kept %q, want %q", test.most, test.lines, got, test.want)
		}
	}
}

// Whatever is written, what is kept is the end of it, in whole lines.
func TestRecentKeepsTheEnd(t *testing.T) {
	const most = 97
	r := NewRecent(most)
	var all strings.Builder
	for i := range 500 {
		line := fmt.Sprintf("line %d %s\n", i, strings.Repeat("x", i%23))
		all.WriteString(line)
		if _, err := r.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		kept := string(r.Bytes())
		if !strings.HasSuffix(all.String(), kept) || kept != "" && !strings.HasPrefix(kept, "line ") {
			t.Fatalf("after line %d: %q", i, kept)
		}
		if len(kept) < min(all.Len(), most-32) {
			t.Fatalf("after line %d only %d bytes are kept", i, len(kept))
		}
	}
}

func TestRecentFromManyGoroutines(t *testing.T) {
	r := NewRecent(1000)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 200 {
				if _, err := r.Write([]byte("a whole line\n")); err != nil {
					t.Error(err)
				}
				for line := range strings.Lines(string(r.Bytes())) {
					if line != "a whole line\n" {
						t.Errorf("torn: %q", line)
					}
				}
			}
		})
	}
	writers.Wait()
}
