package gitsync

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

type pgpKeys = openpgp.EntityList

// maxIdentities bounds the names of one signer.
const maxIdentities = 10

// readPGPKeys reads a keyring: packets, or any number of armored blocks.
func readPGPKeys(content []byte) (pgpKeys, error) {
	const begin = "-----BEGIN PGP "
	if !bytes.Contains(content, []byte(begin)) {
		return complete(openpgp.ReadKeyRing(bytes.NewReader(content)))
	}
	var all pgpKeys
	for _, block := range strings.Split(string(content), begin)[1:] {
		decoded, err := armor.Decode(strings.NewReader(begin + block))
		if err != nil {
			return nil, fmt.Errorf("an armored block cannot be read: %w", err)
		}
		if decoded.Type != openpgp.PublicKeyType {
			return nil, fmt.Errorf("it holds a %s; export public keys only: gpg --armor --export", decoded.Type)
		}
		some, err := complete(openpgp.ReadKeyRing(decoded.Body))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func complete(keys pgpKeys, err error) (pgpKeys, error) {
	if err == nil && len(keys) == 0 {
		err = errors.New("there is no public key in it")
	}
	for _, key := range keys {
		if err == nil && key.PrivateKey != nil {
			err = errors.New("it holds a private key; export public keys only")
		}
	}
	return keys, err
}

// checkPGP checks a detached signature of PGP.
func (k *keyring) checkPGP(signed []byte, signature string) verdict {
	block, err := armor.Decode(strings.NewReader(signature))
	if err != nil || block.Type != openpgp.SignatureType {
		return against(SignatureBad, "the signature's armor cannot be read")
	}
	encoded, err := io.ReadAll(io.LimitReader(block.Body, maxCommitBytes))
	if err != nil {
		return against(SignatureBad, "the signature cannot be read")
	}
	config := &packet.Config{Time: func() time.Time { return k.now }}
	found, signer, err := openpgp.VerifyDetachedSignature(k.pgp, bytes.NewReader(signed), bytes.NewReader(encoded), config)
	result := against(pgpStatus(err), "")
	if found != nil && result.Status == SignerUnknown {
		result.Key = strings.ToUpper(hex.EncodeToString(found.IssuerFingerprint))
	}
	if result.Status != SignatureGood {
		result.Detail = pgpDetail(result.Status, err)
	}
	if signer != nil {
		result.describePGP(signer)
	}
	return result
}

func pgpStatus(err error) SignatureStatus {
	switch {
	case err == nil:
		return SignatureGood
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return SignerUnknown
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return SignerRevoked
	case errors.Is(err, pgperrors.ErrKeyExpired), errors.Is(err, pgperrors.ErrSignatureExpired):
		return SignerExpired
	}
	return SignatureBad
}

func pgpDetail(status SignatureStatus, err error) string {
	switch status {
	case SignerUnknown:
		return "its PGP key is not in the keyring, or may not sign"
	case SignerRevoked:
		return "its PGP key was revoked"
	case SignerExpired:
		return "its PGP key, or the signature, has expired"
	default:
		return "the PGP signature does not fit the commit: " + cleanText(err.Error(), maxNameRunes)
	}
}

func (s *verdict) describePGP(signer *openpgp.Entity) {
	s.Key = strings.ToUpper(hex.EncodeToString(signer.PrimaryKey.Fingerprint))
	if primary := signer.PrimaryIdentity(); primary != nil {
		s.Signer = cleanText(primary.Name, maxNameRunes)
	}
	for _, identity := range signer.Identities {
		if identity.UserId == nil || len(s.people) == maxIdentities {
			continue
		}
		s.people = append(s.people, Contributor{
			Name: cleanText(identity.UserId.Name, maxNameRunes), Email: cleanText(identity.UserId.Email, maxNameRunes), Role: Signer,
		})
	}
	sortPeople(s.people)
}
