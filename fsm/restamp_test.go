package fsm

import (
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// A forwarded command carries the leader's time, and is otherwise what it was.
func TestRestamp(t *testing.T) {
	payload := &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "e"}}}
	data, err := Encode(Header{RequestID: "r", IssuedAt: 5, Proposer: "n2", ProposedAt: 1 << 50}, payload)
	if err != nil {
		t.Fatal(err)
	}
	envelope, opened, err := decode(Entry{Index: 1, Term: 1, Data: Restamp(data, 7)})
	if err != nil {
		t.Fatal(err)
	}
	if envelope.GetProposedAtMs() != 7 || envelope.GetRequestId() != "r" || envelope.GetIssuedAtMs() != 5 || opened.GetRequestPoll().GetEnvironment() != "e" {
		t.Errorf("%v, %v", envelope, opened)
	}
	if again, _, err := decode(Entry{Index: 1, Term: 1, Data: data}); err != nil || again.GetProposedAtMs() != 1<<50 {
		t.Errorf("the forwarded bytes were changed: %v, %v", again, err)
	}
}
