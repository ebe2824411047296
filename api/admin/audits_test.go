package admin

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func readAudit(t *testing.T, a *api, request *pb.ListAuditRecordsRequest) []uint64 {
	t.Helper()
	var sequences []uint64
	for {
		page, err := a.audits.ListAuditRecords(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.GetRecords() {
			sequences = append(sequences, r.GetSequence())
			if request.GetEnvironment() != "" && r.GetEnvironment() != request.GetEnvironment() {
				t.Errorf("a record of %q", r.GetEnvironment())
			}
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return sequences
		}
	}
}

func TestAuditInBothDirections(t *testing.T) {
	a := serve(t)
	a.node.Deploy("roads")
	a.node.Create("production", "rivers")
	newest := a.node.Store().State().Meta().AuditSequence
	var all []uint64
	for s := uint64(1); s <= newest; s++ {
		all = append(all, s)
	}
	if got := readAudit(t, a, &pb.ListAuditRecordsRequest{Ascending: true, PageSize: 2}); !slices.Equal(got, all) {
		t.Errorf("ascending %v", got)
	}
	slices.Reverse(all)
	if got := readAudit(t, a, &pb.ListAuditRecordsRequest{PageSize: 2}); !slices.Equal(got, all) {
		t.Errorf("descending %v", got)
	}
	if got := readAudit(t, a, &pb.ListAuditRecordsRequest{Environment: "production", PageSize: 1}); len(got) == 0 || len(got) == len(all) {
		t.Errorf("of production %v", got)
	}
}

func TestTheChainIsVerified(t *testing.T) {
	a := serve(t)
	a.node.Deploy("roads")
	answer, err := a.audits.VerifyAuditChain(t.Context(), &pb.VerifyAuditChainRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if !answer.GetIntact() || answer.GetRecords() != a.node.Store().State().Meta().AuditSequence || len(answer.GetHeadHash()) != 64 || answer.GetAnchorHash() != "" || answer.GetFirstSequence() != 1 {
		t.Errorf("%v", answer)
	}
}

func TestAnExportThatFellBehindIsTold(t *testing.T) {
	state := cutState(t)
	_, err := auditFrom(state, 1, true)
	var told *problem
	if !errors.As(err, &told) || failures[told.failure].code != codes.OutOfRange {
		t.Errorf("got %v", err)
	}
	if _, err := auditFrom(state, state.FirstAudit()-1, true); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
}

// cutState is a state whose oldest audit records were cut off.
func cutState(t *testing.T) *fsm.State {
	t.Helper()
	n := newOneNode(t)
	fillAudit(n)
	return n.Store().State()
}

// fillAudit writes more audit records than are kept, by commands of 100 records each.
func fillAudit(n *oneNode) {
	denials := make([]*pb.DenialValue, 100)
	for i := range denials {
		denials[i] = &pb.DenialValue{Identity: "eve", Method: "m", Reason: "r", Count: 1}
	}
	for n.Store().State().FirstAudit() < 10 {
		n.Apply(fsm.Header{RequestID: newRequestID(epoch), IssuedAt: epoch.UnixMilli()},
			&pb.Payload{Command: &pb.Payload_RecordDenials{RecordDenials: &pb.RecordDenials{NodeId: "n1", Denials: denials}}})
	}
}
