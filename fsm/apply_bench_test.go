package fsm_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// BenchmarkApply pauses and resumes 500 environments in turn, each time with a
// text of 1 KB: what a replicated admin write costs each node.
func BenchmarkApply(b *testing.B) {
	state, entries := adminWrites(b)
	for i := range entries {
		next, result, err := fsm.Apply(state, entries[i])
		if err != nil || result.Refusal != nil {
			b.Fatal(err, result.Refusal)
		}
		state = next
	}
}

// BenchmarkRehearse is what each of the pauses among them costs the leader besides, before it is in the log.
func BenchmarkRehearse(b *testing.B) {
	state, entries := adminWrites(b)
	for i := range entries {
		if err := fsm.Rehearse(state, entries[i%500]); err != nil {
			b.Fatal(err)
		}
	}
}

// adminWrites are b.N entries and the state before them; the time begins when they are there.
func adminWrites(b *testing.B) (*fsm.State, []fsm.Entry) {
	b.Helper()
	environments := make([]*pb.EnvironmentValue, 500)
	for i := range environments {
		environments[i] = environment(fmt.Sprintf("env-%03d", i), plainPolicy())
	}
	l := newLab(b, environments...)
	reason := strings.Repeat("x", 1024)
	entries := make([]fsm.Entry, b.N)
	for i := range entries {
		var command proto.Message = &pb.PauseCommand{Environment: environments[i%500].GetName(), Reason: reason}
		if i/500%2 == 1 {
			command = &pb.ResumeCommand{Environment: environments[i%500].GetName(), Reason: reason}
		}
		data, err := fsm.Encode(fsm.Header{
			RequestID: fmt.Sprintf("0197-%032d", i), IssuedAt: start + int64(i), ProposedAt: start + int64(i),
			Proposer: "a", Caller: &pb.Caller{Identity: "ann", Authentication: "token", Source: "192.0.2.7"},
		}, wrap(command))
		if err != nil {
			b.Fatal(err)
		}
		entries[i] = fsm.Entry{Index: l.index + uint64(i) + 1, Term: 1, Data: data}
	}
	b.ReportAllocs()
	b.ResetTimer()
	return l.state, entries
}
