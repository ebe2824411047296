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

// A commit that is not signed as it must be is held with its reason, audited and never deployed: one record, however
// often the branch is polled. With the hold lifted it is read anew, by the keys of then, and is the same record (I12).
func TestUnsignedCommitIsHeldOnce(t *testing.T) {
	for _, status := range []gitsync.SignatureStatus{
		gitsync.SignatureMissing, gitsync.SignerUnknown, gitsync.SignerExpired, gitsync.SignerRevoked, gitsync.SignatureBad, gitsync.SignatureUnread,
	} {
		leading(t, func(f *fakes) {
			wanting("required")(f)
			f.signature = status
		}, func(t *testing.T, f *fakes) { checkHeld(t, f, status) })
	}
}

func checkHeld(t *testing.T, f *fakes, status gitsync.SignatureStatus) {
	t.Helper()
	sleep(5 * time.Minute)
	state := f.rig.store.State()
	if n, _, _ := state.Counts(); n != 1 || f.rig.env().Active != nil {
		t.Fatalf("%s: %d records, active %+v", status, n, f.rig.env().Active)
	}
	id := ""
	for d := range state.Deployments("prod") {
		if id = d.ID; d.State != fsm.Failed || d.ReasonCode != "signature_"+string(status) || !strings.Contains(d.Error, "grace@example.com SHA256:x") ||
			d.Signature.Status != string(status) || d.Message == "" || d.Digest == "" {
			t.Errorf("%s: %+v", status, d)
		}
	}
	if hold := state.Hold("prod", "commit:c1"); hold == nil || hold.Reason != "signature_"+string(status) {
		t.Errorf("%s: held by %+v", status, hold)
	}
	failures := 0
	for r := range state.Audit(0) {
		if r.Action == "deployment.failed" && r.Object == id && r.Reason == "signature_"+string(status) {
			failures++
		}
	}
	if n := len(f.reads); n != 1 || !f.reads[0].Verification.EveryCommit || failures != 1 {
		t.Errorf("%s: read %d times: %+v; %d audit records", status, n, f.reads, failures)
	}
	audit := state.Meta().AuditSequence
	sleep(5 * time.Minute)
	if now := f.rig.store.State().Meta().AuditSequence; now != audit {
		t.Errorf("%s: %d audit records by polling", status, now-audit)
	}
	f.mu.Lock()
	f.signature = gitsync.SignatureGood
	f.mu.Unlock()
	if _, err := f.Propose(t.Context(), 1, &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "prod", LiftHold: true}}}); err != nil {
		t.Fatal(err)
	}
	sleep(2 * time.Second)
	f.completed(t, "c1")
	if done := f.rig.env().LastCompletedID; done != id {
		t.Errorf("%s: I12: %s completed, beside %s", status, done, id)
	}
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
