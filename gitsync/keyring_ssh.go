package gitsync

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// sshNamespace is what Git signs for: a signature of a file or of an e-mail by the same key is
// none of a commit.
const sshNamespace = "git"

// allowedSigner is one line of an allowed-signers file.
type allowedSigner struct {
	principals    string
	key           ssh.PublicKey
	namespaces    []string
	after, before time.Time
}

// parseAllowedSigners reads a file as ssh-keygen(1), ALLOWED SIGNERS, describes it. A line that is
// not understood fails the whole file: leaving it out could leave out a restriction.
func parseAllowedSigners(text string) ([]allowedSigner, error) {
	var signers []allowedSigner
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		signer, err := parseAllowedSigner(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		signers = append(signers, signer)
	}
	if len(signers) == 0 {
		return nil, errors.New("it names no signer")
	}
	return signers, nil
}

func parseAllowedSigner(line string) (s allowedSigner, err error) {
	principals, rest, err := cutPrincipals(line)
	if err != nil {
		return s, err
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil {
		return s, errors.New("there is no public key behind the principals")
	}
	if _, certificate := key.(*ssh.Certificate); certificate {
		return s, errors.New("certificates are not supported; name the key itself")
	}
	s.principals, s.key = cleanText(principals, maxNameRunes), key
	for _, option := range options {
		if err := s.option(option); err != nil {
			return s, err
		}
	}
	return s, nil
}

func cutPrincipals(line string) (principals, rest string, err error) {
	if quoted, is := strings.CutPrefix(line, `"`); is {
		principals, rest, found := strings.Cut(quoted, `"`)
		if !found || principals == "" {
			return "", "", errors.New("the quoted principals do not end")
		}
		return principals, strings.TrimSpace(rest), nil
	}
	at := strings.IndexAny(line, " \t")
	if at < 0 {
		return "", "", errors.New("there is no public key behind the principals")
	}
	return line[:at], strings.TrimSpace(line[at:]), nil
}

func (s *allowedSigner) option(text string) (err error) {
	name, value, _ := strings.Cut(text, "=")
	value = strings.Trim(value, `"`)
	switch strings.ToLower(name) {
	case "namespaces":
		s.namespaces = strings.Split(value, ",")
	case "valid-after":
		s.after, err = signerTime(value)
	case "valid-before":
		s.before, err = signerTime(value)
	case "cert-authority":
		err = errors.New("cert-authority is not supported; name the keys themselves")
	default:
		err = fmt.Errorf("option %q is not known", cleanText(name, 40))
	}
	return err
}

// signerTime reads YYYYMMDD[HHMM[SS]][Z]; without Z it is local time, as for ssh-keygen.
func signerTime(text string) (time.Time, error) {
	zone := time.Local
	digits, utc := strings.CutSuffix(text, "Z")
	if utc {
		zone = time.UTC
	}
	layouts := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}
	at, err := time.ParseInLocation(layouts[len(digits)], digits, zone)
	if layouts[len(digits)] == "" || err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time; write YYYYMMDD or YYYYMMDDHHMMSS, with Z for UTC", cleanText(text, 40))
	}
	return at, nil
}

// parseRevokedKeys reads public keys and "SHA256:…" fingerprints, one on a line, into fingerprints.
func parseRevokedKeys(text string) (map[string]bool, error) {
	if strings.HasPrefix(text, "SSHKRL\n") {
		return nil, errors.New("it is a binary revocation list; list the public keys, one on a line")
	}
	revoked := map[string]bool{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "SHA256:") {
			revoked[strings.Fields(line)[0]] = true
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: it is neither a public key nor a SHA256 fingerprint", number)
		}
		revoked[ssh.FingerprintSHA256(key)] = true
	}
	return revoked, nil
}

// checkSSH checks a signature of ssh-keygen -Y sign (PROTOCOL.sshsig).
func (k *keyring) checkSSH(signed []byte, signature string) verdict {
	found, err := sshsig.Unarmor([]byte(signature))
	if err != nil || found.PublicKey == nil || found.Signature == nil {
		return against(SignatureBad, "the SSH signature cannot be read")
	}
	result := verdict{Signature: Signature{Key: ssh.FingerprintSHA256(found.PublicKey)}}
	if format := found.Signature.Format; format == ssh.KeyAlgoRSA || format == "ssh-dss" {
		result.Status, result.Detail = SignatureBad, "the SSH signature is made with SHA-1"
		return result
	}
	if err := sshsig.Verify(bytes.NewReader(signed), found, found.PublicKey, found.HashAlgorithm, sshNamespace); err != nil {
		result.Status, result.Detail = SignatureBad, "the SSH signature does not fit the commit: "+cleanText(err.Error(), maxNameRunes)
		return result
	}
	result.Status, result.Detail = SignerUnknown, "its SSH key is not among the allowed signers for namespace git"
	for _, signer := range k.ssh {
		if !bytes.Equal(signer.key.Marshal(), found.PublicKey.Marshal()) || !signer.forGit() {
			continue
		}
		result.describeSSH(signer)
		if signer.valid(k.now) {
			result.Status, result.Detail = SignatureGood, ""
			break
		}
		result.Status, result.Detail = SignerExpired, "its SSH key is not valid at this time"
	}
	if k.revoked[result.Key] {
		result.Status, result.Detail = SignerRevoked, "its SSH key was revoked"
	}
	return result
}

func (s allowedSigner) forGit() bool {
	return len(s.namespaces) == 0 || slices.ContainsFunc(s.namespaces, func(pattern string) bool { return matches(pattern, sshNamespace) })
}

func (s allowedSigner) valid(at time.Time) bool {
	return (s.after.IsZero() || !at.Before(s.after)) && (s.before.IsZero() || at.Before(s.before))
}

func (s *verdict) describeSSH(signer allowedSigner) {
	s.Signer, s.people = signer.principals, nil
	for principal := range strings.SplitSeq(signer.principals, ",") {
		if principal = strings.TrimSpace(principal); principal != "" && !strings.HasPrefix(principal, "!") && len(s.people) < maxIdentities {
			s.people = append(s.people, Contributor{Name: principal, Email: principal, Role: Signer})
		}
	}
}

// matches compares with a pattern in which * stands for anything and ? for one character.
func matches(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	switch pattern[0] {
	case '*':
		return matches(pattern[1:], text) || (text != "" && matches(pattern, text[1:]))
	case '?':
		return text != "" && matches(pattern[1:], text[1:])
	}
	return text != "" && pattern[0] == text[0] && matches(pattern[1:], text[1:])
}
