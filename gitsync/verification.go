package gitsync

// VerifyMode says what the signatures of commits count for.
type VerifyMode string

const (
	// VerifyNone looks at no signature.
	VerifyNone VerifyMode = ""
	// VerifyWarn says what is wrong and lets everything in.
	VerifyWarn VerifyMode = "warn"
	// VerifyRequired is for callers who let in nothing whose status is not SignatureGood.
	VerifyRequired VerifyMode = "required"
)

// Verification says which signatures a read checks.
type Verification struct {
	Mode VerifyMode
	// EveryCommit: all commits since the deployed one have to be signed, not the newest alone.
	EveryCommit bool
}

// Keys are files that name who may sign. They are read at every check, so that a change counts at once.
type Keys struct {
	// PGPKeyrings hold public keys, armored or not. Every key in them is trusted; a revocation in them counts.
	PGPKeyrings []string
	// SSHAllowedSigners is a file as ssh-keygen(1) describes it, less certificates.
	SSHAllowedSigners string
	// SSHRevokedKeys lists public keys, or their SHA256 fingerprints, one on a line, that count no more.
	SSHRevokedKeys string
}

// empty reports whether nobody may sign.
func (k Keys) empty() bool { return len(k.PGPKeyrings) == 0 && k.SSHAllowedSigners == "" }

// SignatureStatus is what a check found. Each but SignatureGood is a reason not to deploy.
type SignatureStatus string

const (
	// SignatureUnchecked means that nobody asked.
	SignatureUnchecked SignatureStatus = ""
	// SignatureGood means: signed by a key that is trusted, valid and not revoked.
	SignatureGood SignatureStatus = "good"
	// SignatureMissing means that the commit is not signed.
	SignatureMissing SignatureStatus = "unsigned"
	// SignerUnknown means: signed by a key that is not among the trusted ones.
	SignerUnknown SignatureStatus = "unknown_signer"
	// SignerExpired means that the key, or its entry, or the signature is not valid now.
	SignerExpired SignatureStatus = "expired"
	// SignerRevoked means that the key was revoked.
	SignerRevoked SignatureStatus = "revoked"
	// SignatureBad means: damaged, of an unknown kind, or of something else than this commit.
	SignatureBad SignatureStatus = "bad"
	// SignatureUnread means that not every signature could be looked at.
	SignatureUnread SignatureStatus = "unread"
)

// Signature is what the check of a reading's commits found. It is about the commit that was
// read, or about the newest one that is not good.
type Signature struct {
	Status SignatureStatus
	Commit string
	// Signer is an allowed signer's principals, or the name in a PGP key.
	Signer string
	// Key is the fingerprint: of an SSH key "SHA256:…", of a PGP key 40 or 64 hexadecimal digits.
	Key string
	// Detail says more, in words.
	Detail string
}

// verdict is a signature, and the names that its signer is known by.
type verdict struct {
	Signature
	people []Contributor
}

func against(status SignatureStatus, detail string) verdict {
	return verdict{Signature: Signature{Status: status, Detail: detail}}
}
