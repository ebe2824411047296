package security

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

// A secret is in every input of a cluster, and everything is done with them that fails and works: nothing that comes
// out of it, and nothing that it keeps, holds one.
func TestNoSecretGetsOut(t *testing.T) {
	t.Parallel()
	a := newAviary(t)
	a.AwaitServed(development, a.Repo.Commits()[0])
	root := a.IssueClient("grace", "--role", "admin")
	a.showCredentials(root)
	failed := a.failToStage(root)
	a.failToFetch(root)
	a.AwaitServed(development, a.Repo.AddLayer(development, "canary-marker-layer"))
	s := newScanner(t, a.secrets)
	// What stands in the repository is content: nodes keep it, and a backup has it.
	content := []string{"literal"}
	for _, place := range []string{"raft.db", "/bundles/", "/mirror/", "/snapshots/", "backup.snap", "SaveSnapshot"} {
		s.spared[place] = content
	}
	s.spared["gossip.keyring"] = []string{"gossip key"} // the node's own ring, mode 0600
	a.gather(s, root, failed)
	a.dump(s)
	if s.found["literal"] == 0 {
		t.Error("the scan does not find what is known to be there: it proves nothing")
	}
	if shown := strings.Join(a.database.passwords(), "\n"); !strings.Contains(shown, envPassword) || !strings.Contains(shown, filePhrase) {
		t.Error("the passwords were not used: the scan proves nothing")
	}
	s.spared["a data source's server"] = []string{"variable", "file", "literal", "url"} // those that are for it
	for _, shown := range a.database.passwords() {
		s.look("a data source's server", []byte(shown))
	}
	s.report()
	t.Logf("%d places looked at", s.looked)
}

// showCredentials shows good and bad ones, over gRPC and HTTP.
func (a *aviary) showCredentials(root harness.Credentials) {
	a.t.Helper()
	made := struct{ ID, Token string }{}
	result := a.As(root, "token", "create", "--identity", "ci", "--role", "viewer", "-o", "json").Expect(a.t, 0)
	result.Decode(a.t, &made)
	good, expired := a.issuer.token("olga@example.org", time.Hour), a.issuer.token("olga@example.org", -time.Minute)
	a.secrets["token"], a.secrets["good JWT"], a.secrets["expired JWT"] = made.Token, good, expired
	for token, code := range map[string]int{
		made.Token: 0, adminToken: 0, good: 0, expired: 4, badBearer: 4, "honua_" + badBearer: 4, good[:len(good)-3] + "AAA": 4, badBearer + "." + badBearer + "." + badBearer: 4,
	} {
		for _, n := range a.Nodes {
			a.run(harness.Credentials{Token: token}, code, "--address", n.GRPC, "environment", "list", "--stale")
		}
	}
	a.run(root, 0, "token", "revoke", made.ID, "--reason", "a test")
	a.run(harness.Credentials{Token: made.Token}, 4, "environment", "list")
	for _, n := range a.Nodes {
		for _, secret := range []string{hookSecret, badBearer} {
			a.post(n, secret)
		}
	}
}

// post delivers a webhook as GitLab does, which shows the secret itself.
func (a *aviary) post(n *harness.Node, secret string) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, "https://"+n.HTTP+"/webhooks/git", strings.NewReader(`{"object_kind":"push","ref":"refs/heads/main"}`))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("X-Gitlab-Event", "Push Hook")
	request.Header.Set("X-Gitlab-Token", secret)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: a.TLS(harness.Credentials{}), DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	if want := map[string]int{hookSecret: http.StatusAccepted, badBearer: http.StatusUnauthorized}[secret]; answer.StatusCode != want {
		a.t.Errorf("a webhook at %s: %d, want %d", n.ID, answer.StatusCode, want)
	}
}

// failToStage deploys data sources whose passwords the database turns away, and returns the newest deployment.
func (a *aviary) failToStage(root harness.Credentials) string {
	a.t.Helper()
	place := "Host=127.0.0.1;Port=" + a.database.port + ";Database=gis;Username=honua;SSL Mode=Disable;"
	newest := ""
	for name, connection := range map[string]string{
		"variable": place + "Password='${" + envPasswordName + "}'", "file": place + "Password=" + a.reference("db"),
		"literal": place + "Password=" + literal, "url": "postgres://honua:" + a.reference("url") + "@127.0.0.1:" + a.database.port + "/gis?sslmode=disable",
		"host": "Host=${" + envHostName + "};Database=gis;Username=honua;Password=" + a.reference("db"),
		"own":  place + "Password=" + a.reference("admin"), "own setting": place + "Password=${Auth__AdminToken}", "own state": place + "Password=${file:/proc/self/environ}",
		"bad": "Host=127.0.0.1;Port=${" + envPasswordName + "};Database=gis", "odd": "postgres://${" + envPasswordName + "}:x@[/gis",
	} {
		a.Repo.Write("environments/staging/datasources.json", fmt.Sprintf(`{"datasources":[{"id":"files","type":"PostgreSQL","connectionString":%q}]}`, connection))
		commit := a.Repo.Commit("A database: " + name)
		a.run(root, 1, "environment", "sync", "staging")
		harness.Eventually(a.t, harness.DeployWithin, func() error {
			e, err := a.Environment("staging")
			if err != nil {
				return err
			}
			d := e.GetCurrentDeployment()
			if d.GetCommit() != commit || d.GetErrorMessage() == "" {
				return fmt.Errorf("%s: %s is %v", name, d.GetCommit(), d.GetState())
			}
			if refused := strings.Contains(d.GetErrorMessage(), "is the node's own"); refused != strings.HasPrefix(name, "own") {
				a.t.Errorf("%s: %s", name, d.GetErrorMessage())
			}
			newest = e.GetCurrentDeployment().GetId()
			return nil
		})
	}
	return newest
}

// failToFetch turns the login away, and sends it elsewhere.
func (a *aviary) failToFetch(root harness.Credentials) {
	a.t.Helper()
	a.git.RequireLogin("somebody", "else")
	a.Repo.AddLayer(development, "unseen")
	a.run(root, 1, "environment", "sync", development)
	harness.Eventually(a.t, harness.DeployWithin, func() error {
		if e, err := a.Environment(development); err != nil || e.GetPollError() == "" {
			return fmt.Errorf("no failed poll: %w", err)
		}
		return nil
	})
	a.git.RequireLogin(gitUser, gitPassword)
	a.run(root, 0, "environment", "sync", development)
}

// gather asks for everything that can be asked for, and looks through it and through all files.
func (a *aviary) gather(s *scanner, root harness.Credentials, deployment string) {
	a.t.Helper()
	backup, bundle, offline := filepath.Join(a.dir, "backup.snap"), filepath.Join(a.dir, "bundle.tar.gz"), filepath.Join(a.dir, "offline.tar.gz")
	a.run(root, 0, "cluster", "snapshot", "save", backup)
	a.run(root, 0, "debug", "bundle", bundle, "--duration", "2s", "--interval", "1s")
	literalNode := a.Node("node3")
	a.run(harness.Credentials{}, 0, "debug", "bundle", offline, "--address", "127.0.0.1:1", "--config", literalNode.SettingsFile(), "--log", literalNode.LogFile())
	a.run(root, 0, "config", "check", a.Node("node1").SettingsFile(), "-o", "json")
	for _, args := range [][]string{
		{"status"}, {"cluster", "status", "-o", "json"}, {"deployment", "show", deployment}, {"environment", "show", "staging", "-o", "yaml"}, {"audit", "list", "-o", "wide"},
	} {
		a.run(root, 0, args...)
	}
	for _, file := range []string{backup, bundle, offline} {
		content, err := os.ReadFile(file)
		if err != nil {
			a.t.Fatal(err)
		}
		s.look(file, content)
	}
	s.look("command lines", []byte(a.printed.String()))
	for _, n := range a.Nodes {
		for _, method := range reads(a.t) {
			s.look(n.ID+" "+string(method.FullName()), answers(a.t, n, method, "staging", deployment))
		}
		for _, path := range []string{"/health/live", "/health/ready", "/health/gitops", "/metrics", "/ogc", "/ogc/api", "/ogc/collections", "/environments/staging/ogc/collections/cities/items"} {
			r, err := n.Get(a.t.Context(), path)
			if err != nil {
				a.t.Fatal(err)
			}
			s.look(n.ID+path, append(r.Body, fmt.Sprint(r.Header)...))
		}
	}
	checkBundle(a.t, bundle, a.Nodes)
}

// onlyItsOwn makes sure that what a node keeps is for nobody else: folders 0700, files 0600. What git writes is inside one.
func onlyItsOwn(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if name := d.Name(); err == nil && d.IsDir() && (name == "mirror" || name == "mirrors") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// dump ends every node with all its stacks, as a crash does, and looks through their logs and folders.
func (a *aviary) dump(s *scanner) {
	a.t.Helper()
	for _, n := range a.Nodes {
		if err := syscall.Kill(n.PID(), syscall.SIGQUIT); err != nil {
			a.t.Fatal(err)
		}
		harness.Eventually(a.t, harness.StartWithin, func() error {
			if n.Running() {
				return fmt.Errorf("%s still runs", n.ID)
			}
			return nil
		})
		if !strings.Contains(n.Log(), "SIGQUIT: quit") {
			a.t.Errorf("%s shows no stacks", n.ID)
		}
		s.walk(n.Dir, "appsettings.json")
		onlyItsOwn(a.t, n.Dir)
	}
}
