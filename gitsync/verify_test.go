package gitsync

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

var required = Verification{Mode: VerifyRequired}

// What Git and GnuPG, and Git and OpenSSH, have really signed.
func TestRealSignatures(t *testing.T) {
	const folder = "testdata/signatures/"
	keys := Keys{PGPKeyrings: []string{folder + "pgp.asc"}, SSHAllowedSigners: folder + "allowed_signers"}
	for _, file := range []string{folder + "pgp.asc", folder + "allowed_signers"} {
		if err := os.Chmod(file, 0o644); err != nil { // as umask 002 would not leave it
			t.Fatal(err)
		}
	}
	ring, err := openKeyring(keys, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]Signature{
		"pgp.commit": {Status: SignatureGood, Signer: "Ada Lovelace <ada@example.com>"},
		"ssh.commit": {Status: SignatureGood, Signer: "grace@example.com,ops@example.com"},
	} {
		raw, err := os.ReadFile(folder + file)
		if err != nil {
			t.Fatal(err)
		}
		if got := ring.check(raw); got.Status != want.Status || got.Signer != want.Signer || got.Key == "" {
			t.Errorf("%s: %+v", file, got)
		}
		for at := range raw { // whatever is changed, it is not what was signed, or not signed
			mutated := slices.Clone(raw)
			mutated[at] ^= 1
			if got := ring.check(mutated); got.Status == SignatureGood && !inArmor(raw, at) {
				t.Errorf("%s: good with byte %d changed", file, at)
			}
		}
	}
}

// inArmor: a byte of the signature's own frame (its checksum, its dashes) may change without harm.
func inArmor(raw []byte, at int) bool {
	begin, end := strings.Index(string(raw), "gpgsig "), strings.Index(string(raw), "\n\n")
	return at >= begin && at <= end
}

func TestSignatures(t *testing.T) {
	grace, mallory := newSSHKey(t), newSSHKey(t)
	ada := newPGPKey(t, "Ada", "ada@example.com", 0)
	old := newPGPKey(t, "Old", "old@example.com", 30*time.Minute)
	stolen := newPGPKey(t, "Stolen", "stolen@example.com", 0)
	stranger := newPGPKey(t, "Stranger", "x@example.com", 0)
	late, gone, mail := newSSHKey(t), newSSHKey(t), newSSHKey(t)
	keys := keyFiles(t, ada.public()+old.public()+stolen.revoked(), strings.Join([]string{
		"# who may", "", `"grace@example.com,!x" ` + grace.line() + " Grace",
		`late@example.com namespaces="file,gi?",valid-before="20200101Z" ` + late.line(),
		`gone@example.com ` + gone.line(), `mail@example.com namespaces="file" ` + mail.line(),
	}, "\n"), "# lost\n"+gone.line()+"\nSHA256:whatever\n")
	swapped := func(key sshKey) func([]byte) string { // a signature of another commit
		return func([]byte) string { return key.sign([]byte("tree 0\n\nanother\n")) }
	}
	text := func(text string) func([]byte) string { return func([]byte) string { return text } }
	for name, test := range map[string]struct {
		sign   func([]byte) string
		status SignatureStatus
		signer string
	}{
		"SSH":                {grace.sign, SignatureGood, "grace@example.com,!x"},
		"PGP":                {ada.sign, SignatureGood, "Ada <ada@example.com>"},
		"nothing":            {nil, SignatureMissing, ""},
		"unknown SSH":        {mallory.sign, SignerUnknown, ""},
		"unknown PGP":        {stranger.sign, SignerUnknown, ""},
		"expired SSH":        {late.sign, SignerExpired, "late@example.com"},
		"expired PGP":        {old.sign, SignerExpired, "Old <old@example.com>"},
		"revoked SSH":        {gone.sign, SignerRevoked, "gone@example.com"},
		"revoked PGP":        {stolen.sign, SignerRevoked, "Stolen <stolen@example.com>"},
		"of another commit":  {swapped(grace), SignatureBad, ""},
		"for files":          {func(c []byte) string { return grace.signFor("file", c) }, SignatureBad, ""},
		"may not sign here":  {mail.sign, SignerUnknown, ""},
		"PGP of another":     {func([]byte) string { return ada.sign([]byte("x")) }, SignatureBad, ""},
		"no signature":       {text("hello"), SignatureBad, ""},
		"X.509":              {text("-----BEGIN SIGNED MESSAGE-----\n-----END SIGNED MESSAGE-----"), SignatureBad, ""},
		"broken SSH":         {text("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"), SignatureBad, ""},
		"broken PGP":         {text("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----"), SignatureBad, ""},
		"a key, not a proof": {text(ada.public()), SignatureBad, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			sha := s.repo.Commit(gitserver.Change{Files: sample(nil), Sign: test.sign})
			m := s.open(s.fileURL(), func(c *Config) { c.Keys = keys })
			got := read(t, m, Request{Commit: sha, Verification: required}).Signature
			if got.Status != test.status || got.Signer != test.signer || got.Commit != sha {
				t.Errorf("%+v", got)
			}
			if (got.Detail == "") != (test.status == SignatureGood || test.status == SignatureMissing) {
				t.Errorf("detail %q", got.Detail)
			}
			if none := read(t, m, Request{Commit: sha}); none.Signature.Status != SignatureUnchecked {
				t.Errorf("unasked: %+v", none.Signature)
			}
		})
	}
}

// Of the commits since the deployed one, the newest counts, or every one. Signers are contributors, in the child too.
func TestEveryCommit(t *testing.T) {
	grace, hugo := newSSHKey(t), newSSHKey(t)
	keys := keyFiles(t, "", "grace@example.com "+grace.line()+"\nhugo@example.com "+hugo.line()+"\n", "")
	s := newSite(t)
	commit := func(message string, sign func([]byte) string) string {
		return s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"x": message}), Message: message, Sign: sign})
	}
	unsigned := commit("first", nil)
	deployed := commit("second", grace.sign)
	middle := commit("third", nil)
	signed := commit("fourth", hugo.sign)
	newest := commit("fifth", grace.sign)
	m := s.open(s.fileURL(), inChild(t), func(c *Config) { c.Keys = keys })
	check := func(commit, deployed string, every bool, status SignatureStatus, about string) *Reading {
		t.Helper()
		got := read(t, m, Request{Commit: commit, Deployed: deployed, Verification: Verification{Mode: VerifyRequired, EveryCommit: every}})
		if got.Signature.Status != status || got.Signature.Commit != about {
			t.Errorf("%+v", got.Signature)
		}
		return got
	}
	got := check(newest, deployed, false, SignatureGood, newest)
	if !hasSigner(got, "grace@example.com") || !hasSigner(got, "hugo@example.com") {
		t.Errorf("%+v", got.Contributors)
	}
	check(newest, deployed, true, SignatureMissing, middle)
	check(newest, middle, true, SignatureGood, newest)
	check(signed, middle, true, SignatureGood, signed)
	check(middle, deployed, false, SignatureMissing, middle)
	check(newest, "", true, SignatureGood, newest)           // nothing came before
	check(deployed, deployed, true, SignatureGood, deployed) // nothing is new
	check(unsigned, unsigned, true, SignatureMissing, unsigned)
}

func hasSigner(r *Reading, email string) bool {
	return slices.ContainsFunc(r.Contributors, func(c Contributor) bool { return c.Email == email && c.Role == Signer })
}

// A history that is longer than what is read leaves contributors unknown, and not every commit checked.
func TestLongHistoryIsNotVerified(t *testing.T) {
	grace := newSSHKey(t)
	r := &Reading{Commit: CommitInfo{SHA: strings.Repeat("1", 40)}}
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil), Sign: grace.sign})
	store, err := openObjects(layout{common: s.repo.Dir, own: s.repo.Dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer store.close()
	r.Commit.SHA = sha
	line := lineage{relation: FastForward}
	for range maxVerified + 1 {
		line.fresh = append(line.fresh, sha+"x")
	}
	line.fresh = line.fresh[:1]
	line.truncated = true
	line.fresh[0] = sha
	asked := checking{Verification{Mode: VerifyRequired, EveryCommit: true}, keyFiles(t, "", "grace@example.com "+grace.line(), "")}
	if err := r.verify(t.Context(), store, line, asked); err != nil || r.Signature.Status != SignatureUnread {
		t.Errorf("%+v, %v", r.Signature, err)
	}
	asked.EveryCommit = false
	if err := r.verify(t.Context(), store, line, asked); err != nil || r.Signature.Status != SignatureGood {
		t.Errorf("%+v, %v", r.Signature, err)
	}
}

// Files that cannot be used stop what requires them, and are said where they are only asked for. They are read each time.
func TestKeyFiles(t *testing.T) {
	grace := newSSHKey(t)
	ada := newPGPKey(t, "Ada", "ada@example.com", 0)
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil), Sign: grace.sign})
	good := keyFiles(t, ada.public(), "grace@example.com "+grace.line(), "x")
	private := keyFiles(t, "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n", "", "")
	for name, keys := range map[string]Keys{
		"none":               {},
		"missing":            {SSHAllowedSigners: filepath.Join(t.TempDir(), "gone")},
		"a folder":           {SSHAllowedSigners: t.TempDir()},
		"no signer":          keyFiles(t, "", "# nobody\n", ""),
		"no key":             keyFiles(t, "", "grace@example.com\n", ""),
		"unknown option":     keyFiles(t, "", "grace@example.com verify-twice "+grace.line(), ""),
		"authority":          keyFiles(t, "", "*@example.com cert-authority "+grace.line(), ""),
		"no time":            keyFiles(t, "", `grace@example.com valid-before="soon" `+grace.line(), ""),
		"open quote":         keyFiles(t, "", `"grace@example.com `+grace.line(), ""),
		"no PGP":             keyFiles(t, "hello", "", ""),
		"private PGP":        private,
		"binary revocations": {SSHAllowedSigners: good.SSHAllowedSigners, SSHRevokedKeys: keyFiles(t, "", "", "SSHKRL\n\x00").SSHRevokedKeys},
		"no revocation":      {SSHAllowedSigners: good.SSHAllowedSigners, SSHRevokedKeys: good.SSHRevokedKeys},
	} {
		m := s.open(s.fileURL(), func(c *Config) { c.Keys = keys })
		_, err := m.Read(t.Context(), Request{Commit: sha, Environment: "production", Verification: required})
		if !errors.Is(err, ErrKeys) || KindOf(err) != Configuration {
			t.Errorf("%s: %v", name, err)
		}
		got := read(t, m, Request{Commit: sha, Verification: Verification{Mode: VerifyWarn}})
		if got.Signature.Status != SignatureUnread || got.Signature.Detail == "" {
			t.Errorf("%s: %+v", name, got.Signature)
		}
	}
	file := keyFiles(t, "", "hugo@example.com "+newSSHKey(t).line(), "")
	m := s.open(s.fileURL(), inChild(t), func(c *Config) { c.Keys = file })
	if got := read(t, m, Request{Commit: sha, Verification: required}); got.Signature.Status != SignerUnknown {
		t.Errorf("%+v", got.Signature)
	}
	if err := os.WriteFile(file.SSHAllowedSigners, []byte("grace@example.com "+grace.line()), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, m, Request{Commit: sha, Verification: required}); got.Signature.Status != SignatureGood {
		t.Errorf("the file changed: %+v", got.Signature)
	}
	if err := os.Chmod(file.SSHAllowedSigners, 0o620); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Read(t.Context(), Request{Commit: sha, Environment: "production", Verification: required}); !errors.Is(err, ErrKeys) || !strings.Contains(fmt.Sprint(err), "chmod") {
		t.Errorf("anybody may write it: %v", err)
	}
}

// What Git would put together from two headers, nobody signed.
func TestTwoSignatures(t *testing.T) {
	if _, _, err := splitSignature([]byte("tree 1\ngpgsig a\n b\ngpgsig c\n\nmessage")); !errors.Is(err, errSignedMore) {
		t.Error(err)
	}
}

func TestSignerTimes(t *testing.T) {
	for text, want := range map[string]string{
		"20260102Z": "2026-01-02T00:00:00Z", "202601020304Z": "2026-01-02T03:04:00Z", "20260102030405Z": "2026-01-02T03:04:05Z",
		"2026": "", "": "", "Z": "", "20261301Z": "", "2026010203040506": "",
	} {
		got, err := signerTime(text)
		if (err == nil) != (want != "") || (err == nil && got.UTC().Format(time.RFC3339) != want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// FuzzAllowedSigners reads files of signers and of revoked keys: what is accepted names keys.
func FuzzAllowedSigners(f *testing.F) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIF5Nw59eQm4PuxBQ7+C82xPDc46rwTlOc/prhBZ8Ig9"
	for _, text := range []string{
		"a@b " + key, `"a b,c" ` + key, `a namespaces="git,f*",valid-after="20260101Z",valid-before="202601012359" ` + key + " comment",
		"# x\n\n" + key, "a cert-authority " + key, "a\tb", `"`, "SHA256:abc\n" + key, "SSHKRL\n\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		signers, err := parseAllowedSigners(text)
		if err == nil && len(signers) == 0 {
			t.Error("accepted, and names nobody")
		}
		for _, s := range signers {
			if s.key == nil || s.principals == "" && s.forGit() && s.key == nil {
				t.Errorf("%+v", s)
			}
			s.valid(time.Unix(1, 0))
		}
		_, _ = parseRevokedKeys(text)
	})
}

// FuzzSplitSignature takes commits apart: what is left holds no signature, and what was not signed stays as it was.
func FuzzSplitSignature(f *testing.F) {
	for _, file := range []string{"pgp", "ssh"} {
		raw, err := os.ReadFile("testdata/signatures/" + file + ".commit")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("tree 1\ngpgsig a\n b\ngpgsig-sha256 c\n d\n\nmessage\n\nmore"))
	f.Add([]byte("gpgsig"))
	f.Add([]byte("gpgsig\n\ngpgsig")) // a header that is empty without its signature
	f.Fuzz(func(t *testing.T, raw []byte) {
		signed, _, err := splitSignature(raw)
		if err != nil {
			return
		}
		if _, _, err := splitSignature(signed); !errors.Is(err, errUnsigned) {
			t.Errorf("%q is left of %q: %v", signed, raw, err)
		}
	})
}
