package security

import (
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/honua-io/honua-gitops/test/gitserver"
	"github.com/honua-io/honua-gitops/test/harness"
)

// Each secret is a text of its own that is nowhere else. Those of the environment are set for the whole process, which
// the nodes inherit it from; see TestMain.
const (
	gitUser     = "canary-git-user-7d1c"
	gitPassword = "canary-git-password-93fe%/ :&x"
	hookSecret  = "canary-webhook-secret-55aa"
	adminToken  = "canary-admin-token-2f9b41c07"
	envPassword = "canary-db-password-env-88d2 ;x"
	envHost     = "canary-db-host-env-417e.invalid"
	filePhrase  = "canary-db-password-file-c3b9"
	urlPhrase   = "canary-db-url-password-0e6d"
	badBearer   = "canary-unknown-bearer-6b2d9"
	gossipKey   = "canary-gossip-key-32-bytes-long!"

	// literal stands in the repository itself, which is a mistake: it is content, and kept as such, but never shown.
	literal = "canary-db-password-literal-1a7b"

	envPasswordName = "HONUA_CANARY_DB_PASSWORD"
	envHostName     = "HONUA_CANARY_DB_HOST"
	envUserName     = "HONUA_CANARY_GIT_USER"
)

func setCanaries() error {
	for name, value := range map[string]string{envPasswordName: envPassword, envHostName: envHost, envUserName: gitUser} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// aviary is a cluster with a secret in every input.
type aviary struct {
	*harness.Cluster
	t        *testing.T
	git      *gitserver.Server
	issuer   *issuer
	database *database
	// dir holds the files that secrets are read from; it is no node's.
	dir     string
	secrets map[string]string
	// printed is everything that command lines said.
	printed strings.Builder
}

func newAviary(t *testing.T) *aviary {
	t.Helper()
	a := &aviary{t: t, issuer: newIssuer(t), database: newDatabase(t), dir: t.TempDir(), secrets: map[string]string{
		"git user": gitUser, "git password": gitPassword, "webhook secret": hookSecret, "admin token": adminToken, "bearer": badBearer,
		"variable": envPassword, "host": envHost, "file": filePhrase, "url": urlPhrase, "gossip key": gossipKey, "literal": literal,
	}}
	for name, secret := range map[string]string{
		"git": gitPassword, "hook": hookSecret, "admin": adminToken, "db": filePhrase, "url": urlPhrase,
		"gossip": base64.StdEncoding.EncodeToString([]byte(gossipKey)),
	} {
		if err := os.WriteFile(a.file(name), []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var once sync.Once
	a.Cluster = harness.Start(t, harness.Options{
		Policies: map[string]harness.Section{"staging": {"RequiresApproval": false, "MinimumRiskLevelForApproval": "Critical"}},
		Secure:   true, Unready: true, Environments: []string{development, "staging"},
		RepositoryOf: func(dir string) string {
			once.Do(func() {
				a.git = gitserver.New(t, filepath.Dir(dir))
				a.git.RequireLogin(gitUser, gitPassword)
			})
			return a.git.URL + "/" + filepath.Base(dir)
		},
		Adjust: a.adjust,
	})
	for _, n := range a.Nodes {
		a.secrets["key of "+n.ID] = privateKey(t, a.NodeFiles(n).Key)
	}
	return a
}

func (a *aviary) file(name string) string { return filepath.Join(a.dir, name) }

// reference is how a setting names a file of secrets.
func (a *aviary) reference(name string) string { return "${file:" + a.file(name) + "}" }

// adjust gives each node the login in another way: in the origin of a clone, by reference, in the file itself.
func (a *aviary) adjust(n *harness.Node, settings harness.Section) {
	gitops := settings["GitOps"].(harness.Section)
	switch n.ID {
	case "node1":
		address, err := url.Parse(gitops["RepositoryUrl"].(string))
		if err != nil {
			a.t.Fatal(err)
		}
		address.User = url.UserPassword(gitUser, gitPassword)
		gitops["RepositoryPath"] = a.clone(address.String())
		delete(gitops, "RepositoryUrl")
	case "node2":
		gitops["Credentials"] = harness.Section{"Username": "${" + envUserName + "}", "Password": a.reference("git")}
	default:
		gitops["Credentials"] = harness.Section{"Username": gitUser, "Password": gitPassword}
	}
	gitops["Webhook"] = harness.Section{"Secret": a.reference("hook")}
	settings["Cluster"].(harness.Section)["GossipKey"] = a.reference("gossip")
	settings["Auth"] = harness.Section{"AdminToken": a.reference("admin"), "Oidc": a.issuer.settings()}
}

// clone makes an operator's clone, of which a node reads where it came from.
func (a *aviary) clone(origin string) string {
	dir := filepath.Join(a.dir, "clone")
	for name, content := range map[string]string{
		"HEAD": "ref: refs/heads/main\n", "config": "[core]\n\tbare = true\n[remote \"origin\"]\n\turl = " + origin + "\n",
		"objects/info/alternates": "", "refs/heads/.keep": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			a.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return dir
}

// privateKey is what is secret in a key's file, as bytes.
func privateKey(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		t.Fatalf("%s is no PEM", file)
	}
	// PKCS #8 of a P-256 key ends with the public half; the secret number stands at a fixed place before it.
	const begin, length = 36, 32
	return string(block.Bytes[begin : begin+length])
}

// run runs a command line, keeps what it says, and wants an exit code.
func (a *aviary) run(as harness.Credentials, code int, args ...string) harness.Result {
	a.t.Helper()
	r := a.As(as, args...).Expect(a.t, code)
	a.printed.WriteString(strings.Join(args, " ") + "\n" + r.Out + r.Err)
	return r
}
