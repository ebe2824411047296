package history

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestLinesAreReadAsTheyWereWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), CallsFile)
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	calls := []Call{
		{Kind: Pause, Environment: "a", RequestID: "1", Called: 1, Returned: 2, Outcome: OK},
		{Kind: ReadEnvironment, Environment: "a", Called: 3, Returned: time.Second, Outcome: OK, Seen: &Seen{Pause: "why", Activation: 4}},
	}
	for _, c := range calls {
		w.Write(c)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"kind":"to`); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	got, err := Read[Call](path)
	if err != nil || !reflect.DeepEqual(got, calls) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Create(path); err == nil {
		t.Error("a history was begun twice")
	}
	if err := os.WriteFile(path, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read[Call](path); err == nil {
		t.Error("nonsense was read")
	}
}

func TestRound(t *testing.T) {
	dir := t.TempDir()
	want := Round{Seed: 7, Nodes: []string{"node1"}, Environments: []Environment{{"a", 2}}, Ends: []End{{"node1", 5, "h"}}}
	if err := WriteRound(dir, want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadRound(dir); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
