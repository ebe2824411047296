package gitsync

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// maxKeyFileBytes bounds a file of keys.
const maxKeyFileBytes = 8 * mib

// keyring is who may sign, as the files say at one moment.
type keyring struct {
	pgp     pgpKeys
	ssh     []allowedSigner
	revoked map[string]bool
	now     time.Time
}

// openKeyring reads the files. A file that is missing, damaged or open to everybody for writing
// is ErrKeys: nothing is known then about any commit.
func openKeyring(k Keys, now time.Time) (*keyring, error) {
	if k.empty() {
		return nil, fmt.Errorf("%w: name a keyring in GitOps.Verification.PgpKeyringFiles or GitOps.Verification.SshAllowedSignersFile", ErrKeys)
	}
	ring := &keyring{now: now, revoked: map[string]bool{}}
	for _, file := range k.PGPKeyrings {
		content, err := readKeyFile(file)
		if err != nil {
			return nil, err
		}
		entities, err := readPGPKeys(content)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrKeys, file, err)
		}
		ring.pgp = append(ring.pgp, entities...)
	}
	if k.SSHAllowedSigners != "" {
		content, err := readKeyFile(k.SSHAllowedSigners)
		if err != nil {
			return nil, err
		}
		if ring.ssh, err = parseAllowedSigners(string(content)); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrKeys, k.SSHAllowedSigners, err)
		}
	}
	if k.SSHRevokedKeys != "" {
		content, err := readKeyFile(k.SSHRevokedKeys)
		if err != nil {
			return nil, err
		}
		if ring.revoked, err = parseRevokedKeys(string(content)); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrKeys, k.SSHRevokedKeys, err)
		}
	}
	return ring, nil
}

func readKeyFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is no regular file", ErrKeys, path)
	case info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%w: %s can be written by others than its owner (mode %04o); run: chmod go-w %s", ErrKeys, path, info.Mode().Perm(), path)
	case info.Size() > maxKeyFileBytes:
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrKeys, path, maxKeyFileBytes)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	return content, nil
}

// check says what a commit's signature is worth. raw is the commit as it is stored.
func (k *keyring) check(raw []byte) verdict {
	signed, signature, err := splitSignature(raw)
	switch {
	case err == errUnsigned: //nolint:errorlint // it is ours and not wrapped
		return against(SignatureMissing, "")
	case err != nil:
		return against(SignatureBad, err.Error())
	case strings.HasPrefix(signature, "-----BEGIN SSH SIGNATURE-----"):
		return k.checkSSH(signed, signature)
	case strings.HasPrefix(signature, "-----BEGIN PGP "):
		return k.checkPGP(signed, signature)
	}
	return against(SignatureBad, "the signature is neither of PGP nor of SSH")
}
