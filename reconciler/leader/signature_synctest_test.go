package leader

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// wanting makes the settings want signatures.
func wanting(mode string) func(*fakes) {
	return func(f *fakes) {
		f.signature = gitsync.SignerUnknown
		result := f.rig.apply(&pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{
			Reason: "test", Settings: &pb.SettingsValue{PollIntervalMs: 30_000, Environments: []*pb.EnvironmentValue{{
				Name: "prod", Branch: "main", Policy: &pb.PolicyValue{AutoRollback: true},
				Verification: &pb.VerificationValue{Mode: mode, EveryCommit: true},
			}}},
		}}})
		if result.Refusal != nil {
			f.rig.t.Fatal(result.Refusal)
		}
	}
}

// A commit that is not signed as it must be is one record, however often the branch is polled; with the hold lifted it
// is read anew, by the keys of then.
func TestUnsignedCommitIsHeldOnce(t *testing.T) {
	leading(t, wanting("required"), func(t *testing.T, f *fakes) {
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		state := f.rig.store.State()
		if n, _, _ := state.Counts(); n != 1 || f.rig.env().Active != nil {
			t.Fatalf("%d records, active %+v", n, f.rig.env().Active)
		}
		for d := range state.Deployments("prod") {
			if d.State != fsm.Failed || d.ReasonCode != "signature_unknown_signer" || !strings.Contains(d.Error, "grace@example.com SHA256:x") ||
				d.Signature.Status != "unknown_signer" || d.Message == "" {
				t.Errorf("%+v", d)
			}
		}
		if n := len(f.reads); n != 1 || !f.reads[0].Verification.EveryCommit {
			t.Errorf("read %d times: %+v", n, f.reads)
		}
		audit := state.Meta().AuditSequence
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if now := f.rig.store.State().Meta().AuditSequence; now != audit {
			t.Errorf("%d audit records by polling", now-audit)
		}
		f.mu.Lock()
		f.signature = gitsync.SignatureGood
		f.mu.Unlock()
		if _, err := f.Propose(t.Context(), 1, &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "prod", LiftHold: true}}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.completed(t, "c1")
	})
}

func TestWarningsLetCommitsIn(t *testing.T) {
	leading(t, wanting("warn"), func(t *testing.T, f *fakes) {
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.completed(t, "c1")
		if d := f.rig.store.State().Deployment(f.rig.env().LastCompletedID); d.Signature.Status != "unknown_signer" {
			t.Errorf("%+v", d.Signature)
		}
	})
}

func TestSignatureProblems(t *testing.T) {
	for _, status := range []gitsync.SignatureStatus{
		gitsync.SignatureMissing, gitsync.SignerUnknown, gitsync.SignerExpired, gitsync.SignerRevoked, gitsync.SignatureBad, gitsync.SignatureUnread, "",
	} {
		text := signatureProblem(gitsync.Signature{Status: status, Commit: "c1", Detail: "because"})
		if !strings.HasPrefix(text, "commit c1 ") || !strings.HasSuffix(text, ": because") || strings.Contains(text, "  ") {
			t.Errorf("%q: %q", status, text)
		}
	}
	if signatureValue(gitsync.Signature{}) != nil {
		t.Error("nothing was checked, and something is on record")
	}
}
