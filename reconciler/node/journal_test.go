package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/internal/durable"
)

func entry(environment string, index uint64, phase Phase) Entry {
	return Entry{
		Time: "2026-01-02T03:04:05.000Z", Incarnation: "i1", Epoch: 1, Environment: environment,
		ActivationIndex: index, Term: 2, Deployment: environment + "-20260102-030405", Commit: "c1", Digest: "d1", Phase: phase,
	}
}

func TestJournalKeepsTheLastEntryOfEachEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	journal, last, err := OpenJournal(durable.Files{FS: durable.Disk{}}, path)
	if err != nil || len(last) != 0 {
		t.Fatal(last, err)
	}
	for _, e := range []Entry{entry("a", 1, Intent), entry("a", 1, Active), entry("b-c", 4, Intent), entry("a", 2, Intent)} {
		if err := journal.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	journal, last, err = OpenJournal(durable.Files{FS: durable.Disk{}}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = journal.Close() }()
	if len(last) != 2 || last["a"] != entry("a", 2, Intent) || last["b-c"] != entry("b-c", 4, Intent) {
		t.Errorf("%+v", last)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// A line that a crash tore announced something that had not begun (I2).
func TestJournalCutsATornTail(t *testing.T) {
	whole, err := json.Marshal(entry("a", 1, Active))
	if err != nil {
		t.Fatal(err)
	}
	for name, tail := range map[string]string{
		"a beginning":            string(whole[:40]),
		"zeros":                  string(make([]byte, 40)),
		"a beginning and zeros":  string(whole[:40]) + "\x00\x00",
		"all but the end":        string(whole),
		"all, and zero for it":   string(whole) + "\x00",
		"all, and several zeros": string(whole) + "\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) { cutsTornTail(t, whole, tail) })
	}
}

func cutsTornTail(t *testing.T, whole []byte, tail string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	torn := append(append(bytes.Clone(whole), '\n'), tail...)
	if err := os.WriteFile(path, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	journal, last, err := OpenJournal(durable.Files{FS: durable.Disk{}}, path)
	if err != nil || last["a"].ActivationIndex != 1 {
		t.Fatal(last, err)
	}
	if err := journal.Append(entry("a", 2, Intent)); err != nil {
		t.Fatal(err)
	}
	_ = journal.Close()
	found, err := os.ReadFile(path)
	if err != nil || bytes.Count(found, []byte("\n")) != 2 || bytes.Contains(found, []byte("}{")) {
		t.Errorf("%s, %v", found, err)
	}
}

func TestJournalRefusesDamage(t *testing.T) {
	whole, err := json.Marshal(entry("a", 1, Active))
	if err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{
		"not JSON":        "nonsense",
		"two objects":     string(whole) + string(whole),
		"unknown field":   strings.Replace(string(whole), `"term"`, `"terms"`, 1),
		"unknown phase":   strings.Replace(string(whole), `"Active"`, `"Actve"`, 1),
		"no environment":  strings.Replace(string(whole), `"environment":"a"`, `"environment":""`, 1),
		"index zero":      strings.Replace(string(whole), `"activationIndex":1`, `"activationIndex":0`, 1),
		"a flipped brace": strings.Replace(string(whole), `{`, `z`, 1),
	} {
		path := filepath.Join(t.TempDir(), "journal.jsonl")
		if err := os.WriteFile(path, []byte(string(whole)+"\n"+line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := OpenJournal(durable.Files{FS: durable.Disk{}}, path)
		if !errors.Is(err, ErrJournal) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A flipped bit anywhere is found, or changes nothing: the last line's end included, which is no torn line.
func TestFlippedBitInTheJournalIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	journal, _, err := OpenJournal(durable.Files{FS: durable.Disk{}}, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, phase := range []Phase{Intent, Active} {
		if err := journal.Append(entry("a", 1, phase)); err != nil {
			t.Fatal(err)
		}
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(sound) * 8 {
		damaged := bytes.Clone(sound)
		damaged[bit/8] ^= 1 << (bit % 8)
		last, size, err := readJournal(bytes.NewReader(damaged))
		if err == nil && (size != int64(len(sound)) || last["a"] != entry("a", 1, Active)) {
			t.Errorf("bit %d of byte %d is not found: %+v", bit%8, bit/8, last)
		}
	}
}

// What a failed write left on disk is not known: nothing is written after it.
func TestJournalStopsAtTheFirstFailure(t *testing.T) {
	journal, _, err := OpenJournal(durable.Files{FS: durable.Disk{}}, filepath.Join(t.TempDir(), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.file.Close(); err != nil {
		t.Fatal(err)
	}
	first := journal.Append(entry("a", 1, Intent))
	second := journal.Append(entry("a", 1, Intent))
	if !errors.Is(first, ErrJournal) || !errors.Is(second, first) {
		t.Errorf("%v, %v", first, second)
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, phase := range []Phase{Intent, Active, Resumed} {
		line, err := json.Marshal(entry("production", 7, phase))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
		f.Add(line[:len(line)/2])
	}
	f.Add([]byte(`{"phase":"Active"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := ParseEntry(line)
		if err != nil {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseEntry(again)
		if err != nil || back != e {
			t.Errorf("%+v became %+v, %v", e, back, err)
		}
	})
}
