package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

// patient is a configuration with nothing wrong, and a folder to break things in.
type patient struct {
	t   *testing.T
	dir string
	now time.Time
	// text is the file; %DIR% stands for the folder.
	text string
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	p := &patient{t: t, dir: t.TempDir(), now: time.Now()}
	authority, err := tlsfiles.NewAuthority("test", p.now, 3650*day)
	if err != nil {
		t.Fatal(err)
	}
	p.write("ca", authority)
	ca, err := tlsfiles.OpenAuthority(authority, p.now)
	if err != nil {
		t.Fatal(err)
	}
	for name, cluster := range map[string]string{"node": "gis", "other": "other"} {
		pair, err := ca.IssueServer(cluster, nil, 365*day)
		if err != nil {
			t.Fatal(err)
		}
		p.write(name, pair)
	}
	p.file("gossip.key", "MDEyMzQ1Njc4OTAxMjM0NQ==", 0o600)
	p.file("known_hosts", "git.example.org ssh-ed25519 AAAA", 0o600)
	p.text = `{
  "GitOps": { "RepositoryUrl": "https://git.example.org/c.git", "StateDirectory": "%DIR%/state", "Watcher": { "Environment": "production" },
    "Credentials": { "SshKnownHostsFile": "%DIR%/known_hosts" } },
  "Cluster": { "NodeId": "n1", "Name": "gis", "DataDirectory": "%DIR%/data", "RaftAddress": "127.0.0.1:7701", "GossipAddress": "127.0.0.1:7702",
    "BootstrapExpect": 3, "GossipKey": "${file:%DIR%/gossip.key}",
    "Tls": { "CaFile": "%DIR%/ca.pem", "CertFile": "%DIR%/node.pem", "KeyFile": "%DIR%/node.key" } },
  "Api": { "GrpcAddress": "127.0.0.1:7700", "HttpAddress": "127.0.0.1:5000" }
}`
	return p
}

func (p *patient) write(name string, pair tlsfiles.Pair) {
	p.t.Helper()
	if err := pair.Write(filepath.Join(p.dir, name+".pem"), filepath.Join(p.dir, name+".key")); err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) file(name, content string, mode os.FileMode) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) replace(old, by string) {
	p.t.Helper()
	if !strings.Contains(p.text, old) {
		p.t.Fatalf("there is no %q", old)
	}
	p.text = strings.Replace(p.text, old, by, 1)
}

func (p *patient) examine() (problems, warnings []string) {
	p.t.Helper()
	p.file("appsettings.json", strings.ReplaceAll(p.text, "%DIR%", p.dir), 0o600)
	file := filepath.Join(p.dir, "appsettings.json")
	loaded, err := config.Load(file, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	d := doctor{file: file, config: loaded, now: p.now, home: p.dir}
	d.examine(p.t.Context())
	for _, f := range d.problems {
		problems = append(problems, f.Key+": "+f.Message)
	}
	for _, f := range d.warnings {
		warnings = append(warnings, f.Key+": "+f.Message)
	}
	return problems, warnings
}

func TestDoctor(t *testing.T) {
	for name, test := range map[string]struct {
		harm          func(*patient)
		problem, weak string
	}{
		"nothing":           {func(*patient) {}, "", ""},
		"key for all":       {func(p *patient) { p.chmod("node.key", 0o644) }, "Cluster.Tls: cannot be used: private key is readable by others", ""},
		"no certificate":    {func(p *patient) { p.remove("node.pem") }, "Cluster.Tls: cannot be used", ""},
		"wrong role":        {func(p *patient) { p.replace("node.pem", "other.pem"); p.replace("node.key", "other.key") }, "lacks the DNS name server.gis.honua; make one with: honua tls server", ""},
		"another authority": {func(p *patient) { p.authority("ca2", 365*day); p.replace("%DIR%/ca.pem", "%DIR%/ca2.pem") }, "unknown authority", ""},
		"authority expires": {func(p *patient) {
			p.authority("ca3", 20*day)
			p.replace("%DIR%/ca.pem", "%DIR%/both.pem")
			p.join("both.pem", "ca.pem", "ca3.pem")
		}, "", "add its successor to"},
		"token file for all": {func(p *patient) {
			p.file("token", strings.Repeat("t", 40), 0o644)
			p.replace(`"Api":`, `"Auth": { "AdminToken": "${file:%DIR%/token}" }, "Api":`)
		}, "Auth.AdminToken: is in", ""},
		"webhook secret": {func(p *patient) {
			p.replace(`"Credentials":`, `"Webhook": { "Secret": "s3cret-of-a-webhook" }, "Credentials":`)
		}, "", "GitOps.Webhook.Secret: stands in the configuration file itself"},
		"SSH key for all": {func(p *patient) { p.overSSH(); p.file("id", "key", 0o644) }, "id may be read by others (mode 0644); run: chmod 600", ""},
		"SSH key missing": {func(p *patient) { p.overSSH() }, "GitOps.Credentials.SshKeyFile: cannot be read", ""},
		"SSH key":         {func(p *patient) { p.overSSH(); p.file("id", "key", 0o600) }, "", ""},
		"open data":       {func(p *patient) { p.mkdir("data", 0o750) }, "", "Cluster.DataDirectory: "},
		"author may approve": {func(p *patient) {
			p.replace(`"StateDirectory"`, `"DeploymentPolicy": { "ForbidAuthorApproval": false }, "StateDirectory"`)
		}, "", "ForbidAuthorApproval: is false: who wrote a change may approve it alone"},
		"no rollback": {func(p *patient) {
			p.replace(`"StateDirectory"`, `"DeploymentPolicy": { "AutoRollback": false }, "StateDirectory"`)
		}, "", "AutoRollback: is false"},
		"two voters":         {func(p *patient) { p.replace(`"BootstrapExpect": 3`, `"BootstrapExpect": 2`) }, "", "use 3"},
		"expires soon":       {func(p *patient) { p.now = p.now.Add(340 * day) }, "", "expires in 2"},
		"expired":            {func(p *patient) { p.now = p.now.Add(366 * day) }, "certificate is not valid now", ""},
		"gossip key for all": {func(p *patient) { p.chmod("gossip.key", 0o640) }, "which others may read (mode 0640); run: chmod 600", ""},
		"gossip key missing": {func(p *patient) { p.remove("gossip.key") }, "Cluster.GossipKey: cannot be expanded", ""},
		"secret in the file": {func(p *patient) { p.replace("${file:%DIR%/gossip.key}", "MDEyMzQ1Njc4OTAxMjM0NQ==") }, "", "move it to a file of its own"},
		"unknown hosts": {func(p *patient) {
			p.replace("https://git.example.org/c.git", "git@git.example.org:c.git")
			p.remove("known_hosts")
		}, "known_hosts is not there or empty", ""},
		"known hosts":    {func(p *patient) { p.replace("https://git.example.org/c.git", "git@git.example.org:c.git") }, "", ""},
		"in the clear":   {func(p *patient) { p.replace("https://", "http://") }, "", "GitOps.RepositoryUrl: is not encrypted"},
		"even":           {func(p *patient) { p.replace(`"BootstrapExpect": 3`, `"BootstrapExpect": 4`) }, "", "an even number of voters survives no more failures than 3 do"},
		"insecure":       {func(p *patient) { p.replace(`"BootstrapExpect": 3`, `"BootstrapExpect": 3, "Insecure": true`) }, "", "Cluster.Insecure: is true"},
		"open HTTP":      {func(p *patient) { p.replace("127.0.0.1:5000", ":5000") }, "", "Api.Tls: is not set"},
		"open directory": {func(p *patient) { p.mkdir("state", 0o755) }, "", "run: chmod 700"},
		"no approval": {func(p *patient) {
			p.replace(`"StateDirectory"`, `"DeploymentPolicy": { "RequiresApproval": false }, "StateDirectory"`)
		}, "", "DeploymentPolicies.production.RequiresApproval: is false"},
		"no authentication": {func(p *patient) { p.replace(`"Api":`, `"Auth": { "Enabled": false }, "Api":`) }, "", "nobody has to say who they are"},
		"no way in": {func(p *patient) {
			p.replace(`,
    "Tls": { "CaFile": "%DIR%/ca.pem", "CertFile": "%DIR%/node.pem", "KeyFile": "%DIR%/node.key" } }`, ` }`)
			p.replace(`"Api":`, `"Auth": { "Enabled": true }, "Api":`)
		}, "Auth: there is no way in", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t)
			test.harm(p)
			problems, warnings := p.examine()
			check(t, "problems", problems, test.problem)
			check(t, "warnings", warnings, test.weak)
		})
	}
}

// authority makes one more, that lives for a time.
func (p *patient) authority(name string, valid time.Duration) {
	p.t.Helper()
	pair, err := tlsfiles.NewAuthority(name, p.now, valid)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(name, pair)
}

// join writes several files into one.
func (p *patient) join(to string, from ...string) {
	p.t.Helper()
	var all []byte
	for _, name := range from {
		content, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, content...)
	}
	p.file(to, string(all), 0o600)
}

// overSSH reads the repository with a key in a file.
func (p *patient) overSSH() {
	p.replace("https://git.example.org/c.git", "ssh://git@git.example.org/c.git")
	p.replace(`"SshKnownHostsFile"`, `"SshKeyFile": "%DIR%/id", "SshKnownHostsFile"`)
}

func check(t *testing.T, what string, found []string, want string) {
	t.Helper()
	said := strings.Join(found, "\n")
	if want == "" && len(found) > 0 || !strings.Contains(said, want) {
		t.Errorf("%s %q, want %q", what, said, want)
	}
}

func (p *patient) chmod(name string, mode os.FileMode) {
	p.t.Helper()
	if err := os.Chmod(filepath.Join(p.dir, name), mode); err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) remove(name string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) mkdir(name string, mode os.FileMode) {
	p.t.Helper()
	if err := os.Mkdir(filepath.Join(p.dir, name), mode); err != nil {
		p.t.Fatal(err)
	}
	p.chmod(name, mode)
}

// The clocks of nodes that answer are compared; those that do not are left out.
func TestDoctorComparesClocks(t *testing.T) {
	for apart, want := range map[time.Duration]string{0: "", time.Hour: "the clock of 127.0.0.1 is 1h0m"} {
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(-apart).UTC().Format(http.TimeFormat))
		}))
		p := newPatient(t)
		address := strings.TrimPrefix(node.URL, "http://")
		p.replace("127.0.0.1:5000", address)
		p.replace(`"BootstrapExpect": 3`, `"BootstrapExpect": 3, "Join": ["127.0.0.1:7702", "127.0.0.99:7702"]`)
		_, warnings := p.examine()
		check(t, "warnings", warnings, want)
		node.Close()
	}
}
