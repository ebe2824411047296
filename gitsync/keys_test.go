package gitsync

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// sshKey is a key of a person.
type sshKey struct {
	t      *testing.T
	signer ssh.Signer
}

func newSSHKey(t *testing.T) sshKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return sshKey{t, signer}
}

// line is the public key as it stands in files.
func (k sshKey) line() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.signer.PublicKey())))
}

// sign signs a commit as `git commit -S` does.
func (k sshKey) sign(commit []byte) string { return k.signFor("git", commit) }

func (k sshKey) signFor(namespace string, commit []byte) string {
	signature, err := sshsig.Sign(bytes.NewReader(commit), k.signer, sshsig.HashSHA512, namespace)
	if err != nil {
		k.t.Fatal(err)
	}
	return string(sshsig.Armor(signature))
}

// pgpKey is a key with one name.
type pgpKey struct {
	t      *testing.T
	entity *openpgp.Entity
}

func newPGPKey(t *testing.T, name, email string, lifetime time.Duration) pgpKey {
	t.Helper()
	entity, err := openpgp.NewEntity(name, "", email, &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: uint32(lifetime.Seconds()), DefaultHash: crypto.SHA256,
		Time: func() time.Time { return time.Now().Add(-time.Hour) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return pgpKey{t, entity}
}

func (k pgpKey) sign(commit []byte) string {
	var out bytes.Buffer
	at := &packet.Config{Time: func() time.Time { return time.Now().Add(-time.Hour + time.Second) }}
	if err := openpgp.ArmoredDetachSign(&out, k.entity, bytes.NewReader(commit), at); err != nil {
		k.t.Fatal(err)
	}
	return out.String()
}

// public is the armored public key.
func (k pgpKey) public() string {
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err == nil {
		err = k.entity.Serialize(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return out.String() + "\n"
}

// revoked is the public key with a revocation; whoever stole the private one still signs.
func (k pgpKey) revoked() string {
	if err := k.entity.RevokeKey(packet.KeyCompromised, "stolen", nil); err != nil {
		k.t.Fatal(err)
	}
	defer func() { k.entity.Revocations = nil }()
	return k.public()
}

// keyFiles writes files of keys; an empty text is no file.
func keyFiles(t *testing.T, pgp, allowed, revoked string) Keys {
	t.Helper()
	var keys Keys
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if pgp != "" {
		keys.PGPKeyrings = []string{write("keys.asc", pgp)}
	}
	if allowed != "" {
		keys.SSHAllowedSigners = write("allowed_signers", allowed)
	}
	if revoked != "" {
		keys.SSHRevokedKeys = write("revoked", revoked)
	}
	return keys
}
