package leader

import (
	"strings"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// verification is what the settings want of an environment's commits.
func verification(settings *fsm.Settings, environment string) gitsync.Verification {
	es := settings.Environment(environment)
	if es == nil {
		return gitsync.Verification{}
	}
	return gitsync.Verification{Mode: gitsync.VerifyMode(es.Verification.Mode), EveryCommit: es.Verification.EveryCommit}
}

// unsigned is a candidate that is not signed as the settings want it. Its record has the digest of its content (I12),
// and is held by its commit: the same content under a commit that is signed is another matter.
func unsigned(environment, branch string, b base, reading *gitsync.Reading) *Candidate {
	c := prepare(environment, branch, b, reading)
	c.Unsigned, c.Encoded, c.ReasonCode = true, nil, "signature_"+string(reading.Signature.Status)
	c.Problems = append([]string{signatureProblem(reading.Signature)}, c.Problems...)
	return c
}

// signatureProblem says in one line what is wrong with a commit's signature.
func signatureProblem(s gitsync.Signature) string {
	words := map[gitsync.SignatureStatus]string{
		gitsync.SignatureMissing: "is not signed",
		gitsync.SignerUnknown:    "is signed by nobody who is trusted",
		gitsync.SignerExpired:    "is signed by somebody who may not sign at this time",
		gitsync.SignerRevoked:    "is signed with a key that was revoked",
		gitsync.SignatureBad:     "has a bad signature",
		gitsync.SignatureUnread:  "cannot be verified",
	}[s.Status]
	if words == "" {
		words = "was not verified"
	}
	text := "commit " + s.Commit + " " + words
	if who := strings.TrimSpace(s.Signer + " " + s.Key); who != "" {
		text += " (" + who + ")"
	}
	if s.Detail != "" {
		text += ": " + s.Detail
	}
	return text
}

// signatureValue is what the record keeps; nil if nobody asked.
func signatureValue(s gitsync.Signature) *pb.SignatureValue {
	if s.Status == gitsync.SignatureUnchecked {
		return nil
	}
	return &pb.SignatureValue{Status: string(s.Status), Commit: s.Commit, Signer: s.Signer, Key: s.Key, Detail: s.Detail}
}
