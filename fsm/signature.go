package fsm

import (
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// What signatures of commits count for in an environment.
const (
	VerificationWarn     = "warn"
	VerificationRequired = "required"
)

// SignatureGood is the status of commits that are signed as they have to be.
const SignatureGood = "good"

// Verification says what signatures of commits count for. The zero value: for nothing.
type Verification struct {
	// Mode is empty, warn or required.
	Mode string
	// EveryCommit: all since the deployed one have to be signed, not the newest alone.
	EveryCommit bool
}

// Required reports whether what is not signed is never deployed.
func (v Verification) Required() bool { return v.Mode == VerificationRequired }

// Signature is what the check of a deployment's commits found. The zero value:
// there was no check.
type Signature struct {
	// Status is good, or says why not.
	Status string
	// Commit is the one that it is about.
	Commit string
	// Signer is who signed, Key the fingerprint of the key.
	Signer string
	Key    string
	Detail string
}

func signatureOf(m *pb.SignatureValue) Signature {
	return Signature{Status: m.GetStatus(), Commit: m.GetCommit(), Signer: m.GetSigner(), Key: m.GetKey(), Detail: m.GetDetail()}
}

func verificationOf(m *pb.VerificationValue) Verification {
	v := Verification{Mode: m.GetMode(), EveryCommit: m.GetEveryCommit()}
	if v.Mode == "none" {
		v.Mode = ""
	}
	return v
}

// check refuses a word that this build does not know: it must not turn the check of signatures off.
func (v Verification) check() error {
	switch v.Mode {
	case "", VerificationWarn, VerificationRequired:
		return nil
	default:
		return refuse(ClassInvalid, "bad_verification", "verification mode %q is not none, warn or required", v.Mode)
	}
}

// signed refuses what the settings want signed and is not: whatever a leader
// says, and whatever was recorded while the settings asked for less.
func (c *change) signed(environment string, s Signature) error {
	es := c.meta.Settings.Environment(environment)
	if es == nil || !es.Verification.Required() || s.Status == SignatureGood {
		return nil
	}
	found := s.Status
	if found == "" {
		found = "not checked"
	}
	return refuse(ClassPrecondition, "verification_required", "environment %q takes signed commits only, and this one is %s", environment, found)
}

// refusedForSignature reports whether a reason code says that a commit is not signed as it has to be.
func refusedForSignature(reason string) bool { return strings.HasPrefix(reason, "signature_") }

// failUnsigned ends what waits and would not be let in any more.
func (c *change) failUnsigned(env *Environment) {
	for _, id := range append([]string(nil), env.Waiting...) {
		known := c.deployments.get(id)
		if known == nil || c.signed(env.Name, known.Signature) == nil {
			continue
		}
		d := *known
		if c.fail(env, &d, "verification_required", "the settings take signed commits only since they changed") != nil {
			continue // not reached: what waits can fail
		}
	}
}
