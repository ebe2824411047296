package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// A restore whose file was dropped with the term of a leader is sent again as a whole, under an id of its own.
func TestRestoreBeginsAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup.snap")
	var want strings.Builder
	if err := fsm.WriteSnapshot(&want, fsm.New()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(want.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	const lost = "BACKUP_INCOMPLETE"
	for name, test := range map[string]struct {
		reasons []string
		flags   []string
		sent    int
		code    int
	}{
		"taken at once":             {sent: 1},
		"refused at the end":        {reasons: []string{lost}, sent: 2},
		"refused in the middle":     {reasons: []string{"CHUNK_OUT_OF_ORDER", lost}, sent: 3},
		"again and again":           {reasons: []string{lost, lost, lost, lost}, sent: 3, code: exitError},
		"under an id of the caller": {reasons: []string{lost}, flags: []string{"--request-id", "r-1"}, sent: 1, code: exitError},
		"for another reason":        {reasons: []string{"BACKUP_NEWER"}, sent: 1, code: exitError},
	} {
		t.Run(name, func(t *testing.T) {
			var ids []string
			api := &fakeAPI{restore: func(id, file string) (*pb.RestoreSnapshotResponse, error) {
				if file != want.String() {
					t.Errorf("%d bytes arrived of %d", len(file), want.Len())
				}
				if ids = append(ids, id); len(ids) <= len(test.reasons) {
					return nil, refusal(codes.Aborted, test.reasons[len(ids)-1], "the leader changed meanwhile, begin again")
				}
				return &pb.RestoreSnapshotResponse{AppliedIndex: 42, Epoch: 2}, nil
			}}
			address := api.serve(t)
			args := append([]string{"cluster", "snapshot", "restore", path, "--yes", "--reason", "the disks were lost", "--address", address}, test.flags...)
			got := honua(t, args...)
			if got.code != test.code || len(ids) != test.sent {
				t.Fatalf("exit code %d after %d were sent, not %d after %d: %s", got.code, len(ids), test.code, test.sent, got.err)
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != test.sent {
				t.Errorf("it sent %d times, under %q", test.sent, ids)
			}
			if again := strings.Count(got.err, "sending it again"); again != test.sent-1 {
				t.Errorf("it says %d times that it sends again: %s", again, got.err)
			}
		})
	}
}
