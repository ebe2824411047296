package acceptance

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/honua-io/honua-gitops/test/harness"
)

type commitSigner struct {
	ssh.Signer
	t *testing.T
}

func newSigner(t *testing.T) commitSigner {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return commitSigner{signer, t}
}

// allow writes a file of allowed signers.
func allow(t *testing.T, path string, signers map[string]commitSigner) {
	t.Helper()
	var text strings.Builder
	for name, signer := range signers {
		fmt.Fprintf(&text, "%s namespaces=\"git\" %s", name, ssh.MarshalAuthorizedKey(signer.PublicKey()))
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// commit commits what a change wrote, signed; the branch moves once, to what is signed.
func (s commitSigner) commit(r *harness.Repo, message string) string {
	s.t.Helper()
	r.Git("add", "-A")
	const who = "Ada Lovelace <ada@example.com> 1795000000 +0000"
	head := fmt.Sprintf("tree %s\nparent %s\nauthor %s\ncommitter %s\n", r.Git("write-tree"), r.Git("rev-parse", "HEAD"), who, who)
	signature, err := sshsig.Sign(strings.NewReader(head+"\n"+message+"\n"), s, sshsig.HashSHA512, "git")
	if err != nil {
		s.t.Fatal(err)
	}
	armored := strings.ReplaceAll(strings.TrimSpace(string(sshsig.Armor(signature))), "\n", "\n ")
	store := exec.Command("git", "hash-object", "-t", "commit", "-w", "--stdin")
	store.Dir, store.Stdin = r.Dir, bytes.NewReader([]byte(head+"gpgsig "+armored+"\n\n"+message+"\n"))
	out, err := store.Output()
	if err != nil {
		s.t.Fatal(err)
	}
	commit := strings.TrimSpace(string(out))
	r.Git("update-ref", "refs/heads/main", commit)
	return commit
}

// What is not signed by somebody who may is held, once, and never served; whom a changed file lets in is let in without
// a restart; who signed is shown, and counts as one who contributed.
func TestSignedCommits(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "allowed_signers")
	grace, hugo := newSigner(t), newSigner(t)
	allow(t, keys, map[string]commitSigner{"grace@example.com": grace})
	c := harness.Start(t, harness.Options{Unready: true, Adjust: func(_ *harness.Node, settings harness.Section) {
		settings["GitOps"].(harness.Section)["Verification"] = harness.Section{"Mode": "required", "Commits": "all", "SshAllowedSignersFile": keys}
		settings["GitOps"].(harness.Section)["DeploymentPolicies"] = harness.Section{
			development: harness.Section{"RequiresApproval": true, "ForbidAuthorApproval": true},
		}
	}})
	unsigned := awaitState(t, c, development, c.Repo.Commits()[0], "Failed")
	if !strings.Contains(unsigned.ErrorMessage, "is not signed") || unsigned.ReasonCode != "signature_unsigned" {
		t.Errorf("%+v", unsigned)
	}
	awaitAttempts(t, c, 1)
	c.Repo.Write("README.md", "Signed from here on.\n")
	first := grace.commit(c.Repo, "Begin to sign")
	d := awaitState(t, c, development, first, "AwaitingApproval")
	shown := c.CLI("deployment", "show", d.ID).Expect(t, 0).Out
	if !strings.Contains(shown, "good  grace@example.com  SHA256:") {
		t.Errorf("shown:\n%s", shown)
	}
	c.CLI("deployment", "approve", d.ID, "--approver", "grace@example.com").Expect(t, 4)
	c.CLI("deployment", "approve", d.ID, "--approver", "rosa").Expect(t, 0)
	served := c.AwaitServed(development, first)

	c.Repo.WriteMetadata(development, harness.Layer{ID: "rivers", Title: "Rivers", Source: "files"})
	second := hugo.commit(c.Repo, "Add rivers")
	refused := awaitState(t, c, development, second, "Failed")
	if refused.ReasonCode != "signature_unknown_signer" {
		t.Errorf("%+v", refused)
	}
	awaitAttempts(t, c, 1)
	if e, err := c.Environment(development); err != nil || e.GetActiveDigest() != served.GetActiveDigest() {
		t.Errorf("%v, %v", e, err)
	}
	allow(t, keys, map[string]commitSigner{"grace@example.com": grace, "hugo@example.com": hugo})
	c.CLI("environment", "sync", development, "--lift-hold", "--async").Expect(t, 0)
	id := awaitState(t, c, development, second, "AwaitingApproval").ID
	if id != refused.ID {
		t.Errorf("I12: %s is a second record of %s, beside %s", id, second, refused.ID)
	}
	c.CLI("deployment", "approve", id, "--approver", "rosa").Expect(t, 0)
	c.AwaitServed(development, second)
	audited := c.CLI("audit", "list", "-o", "json").Expect(t, 0).Out
	if !strings.Contains(audited, "signed by hugo@example.com (SHA256:") || strings.Count(audited, `"deployment.failed"`) != 2 {
		t.Errorf("%s", audited)
	}
}

// awaitAttempts polls some more and checks that nothing was recorded again.
func awaitAttempts(t *testing.T, c *harness.Cluster, most int) {
	t.Helper()
	awaitPolls(t, c, 2)
	for _, d := range deployments(t, c, development) {
		if d.State == "Failed" && d.Attempts > most {
			t.Errorf("%s was tried %d times", d.ID, d.Attempts)
		}
	}
}
