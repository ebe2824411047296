package fsm_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// goldenLogHashes are the state hashes that the builds which wrote the logs came to.
var goldenLogHashes = map[string]string{
	"v1.log": "94d8fdf2f3a4105de4c4c612622945798131950acd3cb532abd5dccdb83b7da6",
}

// Logs that a release has written lead every later build to the state that they led to then, and so do the
// snapshots on the way (I11).
func TestI11GoldenLogs(t *testing.T) {
	folder := filepath.Join("testdata", "log")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		writeLog(t, filepath.Join(folder, "v1.log"), eventful(t).history)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil || len(files) != len(goldenLogHashes) {
		t.Fatalf("%v: %v", files, err)
	}
	for _, file := range files {
		s, entries := fsm.New(), readLog(t, file)
		for i, e := range entries {
			if i%5 == 0 {
				var snapshot bytes.Buffer
				if err := fsm.WriteSnapshot(&snapshot, s); err != nil {
					t.Fatal(err)
				}
				if s, err = fsm.ReadSnapshot(&snapshot); err != nil {
					t.Fatal(err)
				}
			}
			if s, _, err = fsm.Apply(s, e); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		if hash := s.Hash(); hex.EncodeToString(hash[:]) != goldenLogHashes[filepath.Base(file)] {
			t.Errorf("%s leads to %x, it was %s", file, hash, goldenLogHashes[filepath.Base(file)])
		}
	}
}

func writeLog(t *testing.T, file string, entries []fsm.Entry) {
	t.Helper()
	var lines strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&lines, e.Index, e.Term, base64.StdEncoding.EncodeToString(e.Data))
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readLog(t *testing.T, file string) []fsm.Entry {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var entries []fsm.Entry
	for line := range strings.Lines(string(content)) {
		var e fsm.Entry
		var data string
		if _, err := fmt.Sscan(line, &e.Index, &e.Term, &data); err != nil {
			t.Fatal(err)
		}
		if e.Data, err = base64.StdEncoding.DecodeString(data); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// knows puts on record what the nodes' builds know.
func (l *lab) knows(format uint32, nodes ...string) {
	l.t.Helper()
	for _, id := range nodes {
		l.ok(l.lead(&pb.ObserveNode{NodeId: id, Incarnation: id + "1", Available: true, Version: "v", Format: format}))
	}
}

// A format is taken into use once, when every node's build knows it; a build that does not know it halts.
func TestFormatIsRaisedWhenAllKnowIt(t *testing.T) {
	l := newLab(t)
	if f := l.state.Meta().Format; f != fsm.FirstFormat {
		t.Fatalf("a new cluster begins with format %d", f)
	}
	l.refused(l.lead(&pb.RaiseFormat{Format: fsm.FirstFormat}), fsm.ClassExists, "format_in_force")
	next := uint32(fsm.FormatVersion + 1)
	l.knows(next, "a", "b")
	l.refused(l.lead(&pb.RaiseFormat{Format: next}), fsm.ClassPrecondition, "old_node")
	l.knows(next, "c")
	data, err := fsm.Encode(fsm.Header{Term: l.term, ProposedAt: l.now}, wrap(&pb.RaiseFormat{Format: next}))
	if err != nil {
		t.Fatal(err)
	}
	var fatal *fsm.FatalError
	_, _, err = fsm.Apply(l.state, fsm.Entry{Index: l.index + 1, Term: l.term, Data: data})
	if !errors.As(err, &fatal) || !strings.Contains(err.Error(), "upgrade this node") {
		t.Fatalf("a build that does not know the format says %v", err)
	}
	if fsm.FormatVersion == fsm.FirstFormat {
		return
	}
	l.ok(l.lead(&pb.RaiseFormat{Format: fsm.FormatVersion}))
	if f := l.state.Meta().Format; f != fsm.FormatVersion {
		t.Fatalf("in force is %d", f)
	}
}

// A backup of a later format is refused with the same words by builds that could read it and builds that could not:
// what they remember of the request must not differ (I11).
func TestNewerBackupIsRefusedAlike(t *testing.T) {
	file := eventful(t).save()
	header := &pb.SnapshotHeader{}
	length, n := binary.Uvarint(file[13:])
	if err := proto.Unmarshal(file[13+n:13+n+int(length)], header); err != nil {
		t.Fatal(err)
	}
	later := func(state uint32) []byte {
		header.StateFormat = state
		body, err := proto.Marshal(header)
		if err != nil {
			t.Fatal(err)
		}
		out := append([]byte{}, file[:13]...)
		out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
		return append(out, file[13+n+int(length):]...)
	}
	container := bytes.Clone(file)
	binary.BigEndian.PutUint32(container[8:], 99)
	var messages []string
	for _, backup := range [][]byte{later(fsm.FirstFormat + 1), later(99), container} {
		l := newRestoreLab(t, "other", "lab")
		r := l.restore(l.bringBackup(backup, 10_000), true)
		l.refused(r, fsm.ClassPrecondition, "backup_newer")
		messages = append(messages, r.Refusal.Message)
	}
	if messages[0] != messages[1] || messages[1] != messages[2] {
		t.Errorf("they differ: %q", messages)
	}
}
