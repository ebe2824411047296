//go:build system

package system

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/pages"
)

// The first minute of the README, and the examples of what is served, work as they stand there.
func TestDocumentedFirstMinute(t *testing.T) {
	newHost(t, t.TempDir()).typeAll(pages.Marked(t, "dev"))
}

// The same with cities from a database.
func TestDocumentedDatabase(t *testing.T) {
	newHost(t, t.TempDir()).typeAll(pages.Marked(t, "postgis"))
}

// site is a cluster of three hosts, as docs/operations.md has it, with what other pages add to the nodes' settings.
type site struct {
	t     *testing.T
	hosts []*host
	// env is that of whoever types, who commits as grace.
	env []string
	// key is the public key of grace.
	key string
	// terminal is a shell of the first host, with the addresses and credentials that the page has exported.
	terminal *pages.Shell
}

const operationsPage = "docs/operations.md"

// From source to three hosts with TLS, signed commits, backups and a webhook: what stands in the documentation is typed as
// it stands there.
func TestDocumentedOperations(t *testing.T) {
	s := newSite(t)
	s.hosts[0].typeAll(pages.Marked(t, "source"))
	s.install()
	s.configure()
	s.typeOn(s.hosts[0], pages.Marked(t, "init")...)
	s.found()
	for _, h := range s.hosts {
		s.typeOn(h, pages.Marked(t, "server")...)
	}
	s.signIn()
	s.await("AwaitingApproval")
	s.act(`honua deployment approve "$ID"`)
	for _, block := range operations(t) {
		s.commit(block.Place())
		s.typeIn(s.terminal, s.hosts[0], block)
	}
	for _, block := range slices.Concat(pages.Marked(t, "webhook")[1:], pages.Marked(t, "signatures")[2:]) {
		s.typeIn(s.terminal, s.hosts[0], block)
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t}
	shared, home := t.TempDir(), t.TempDir()
	for range 3 {
		s.hosts = append(s.hosts, newHost(t, shared))
	}
	connect(t, s.hosts)
	s.env = []string{"HOME=" + home, "GOCACHE=" + strings.TrimSpace(command(t, "go", "env", "GOCACHE")), "GOMODCACHE=" + strings.TrimSpace(command(t, "go", "env", "GOMODCACHE"))}
	must(t, os.Mkdir(filepath.Join(home, ".ssh"), 0o700))
	command(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", filepath.Join(home, ".ssh", "id_ed25519"))
	s.key = strings.TrimSpace(read(t, filepath.Join(home, ".ssh", "id_ed25519.pub")))
	return s
}

// shell is one of a host whose key of grace is hers.
func (s *site) shell(h *host) *pages.Shell {
	shell := h.shell()
	shell.Env = append(shell.Env, s.env...)
	for _, line := range pages.Marked(s.t, "signatures")[0].Commands() {
		if _, key, found := strings.Cut(line, "ssh-ed25519 "); found {
			key, _, _ = strings.Cut(key, "'")
			shell.Places = []string{"ssh-ed25519 " + key, s.key}
		}
	}
	return shell
}

// typeOn types blocks into a shell of a host.
func (s *site) typeOn(h *host, blocks ...pages.Block) {
	s.t.Helper()
	for _, block := range blocks {
		s.typeIn(s.shell(h), h, block)
	}
}

// typeIn types a block; $ID is the newest deployment.
func (s *site) typeIn(shell *pages.Shell, h *host, block pages.Block) {
	s.t.Helper()
	for _, line := range block.Commands() {
		if strings.Contains(line, "$ID") {
			shell.Env = append(shell.Env, "ID="+s.newest("id"))
		}
		h.typed(block, shell, line)
	}
}

// install brings the program to the other hosts, and to each its certificate, the keys, and sample data.
func (s *site) install() {
	s.t.Helper()
	first := s.hosts[0]
	first.run("install -m 755 bin/honua /srv/honua && mkdir -p pki")
	for _, line := range []string{"tls ca", "tls client --name alice --role admin", "tls server --name node1 --ip 10.0.0.1", "tls server --name node2 --ip 10.0.0.2", "tls server --name node3 --ip 10.0.0.3"} {
		first.run("honua " + line + " --cluster honua --dir pki")
	}
	first.run("head -c 32 /dev/urandom | base64 > pki/gossip.key && chmod 600 pki/gossip.key && cp -r pki /srv/pki")
	for i, h := range s.hosts {
		h.run(fmt.Sprintf(`install -m 755 /srv/honua /usr/local/bin/honua
cp /srv/pki/ca.pem /srv/pki/gossip.key /etc/honua/
cp /srv/pki/node%[1]d.pem /etc/honua/node.pem && cp /srv/pki/node%[1]d.key /etc/honua/node.key
cp gitsync/testdata/signatures/pgp.asc /etc/honua/keys.asc`, i+1))
	}
	cities := s.t.TempDir()
	must(s.t, scaffold.WriteCities(cities))
	for _, h := range s.hosts {
		h.run("mkdir -p -m 700 /var/honua/data && cp '" + cities + "'/* /var/honua/data/")
	}
	kept := filepath.Join(s.t.TempDir(), "kept.json")
	must(s.t, os.WriteFile(kept, []byte(harness.KeptState), 0o600))
	s.hosts[0].run("mkdir -p /var/honua/backups/deployments && cp '" + kept + "' /var/honua/backups/deployments/production-20251023.json")
}

// configure puts the page's settings on each host, with what other pages put beside them.
func (s *site) configure() {
	s.t.Helper()
	signers, secret := pages.Marked(s.t, "signatures")[0], pages.Marked(s.t, "webhook")[0]
	s.typeOn(s.hosts[0], secret)
	s.hosts[0].run("cp /etc/honua/webhook-secret /srv/webhook-secret")
	for i, h := range s.hosts {
		s.typeOn(h, signers)
		h.run("install -m 600 /srv/webhook-secret /etc/honua/webhook-secret")
		settings := map[string]any{}
		for _, block := range pages.Of(s.t, operationsPage) {
			if block.Info == "json appsettings" {
				must(s.t, json.Unmarshal([]byte(block.Text), &settings))
			}
		}
		of := []string{"node1", fmt.Sprintf("node%d", i+1), "10.0.0.1", fmt.Sprintf("10.0.0.%d", i+1)}
		join := settings["Cluster"].(map[string]any)["Join"]
		delete(settings["Cluster"].(map[string]any), "Join")
		pages.Translate(settings, of...)
		settings["Cluster"].(map[string]any)["Join"] = join
		for _, block := range pages.All(s.t) {
			if block.Info == "json settings" && block.Page != "docs/security.md" {
				pages.Merge(settings, pages.Settings(s.t, block))
			}
		}
		content, err := json.MarshalIndent(settings, "", "  ")
		must(s.t, err)
		file := filepath.Join(s.t.TempDir(), "appsettings.json")
		must(s.t, os.WriteFile(file, content, 0o600))
		h.run("install -m 600 '" + file + "' /etc/honua/appsettings.json")
	}
}

// found has the repository where the nodes look for it, with a first commit that is signed as the documentation has it.
func (s *site) found() {
	s.t.Helper()
	shell := s.shell(s.hosts[0])
	lines := append([]string{"cp -r config /srv/honua-config", "cd /srv/honua-config"}, pages.Marked(s.t, "signatures")[1].Commands()...)
	for _, line := range append(lines, "git commit -q --allow-empty -m 'Begin to sign'") {
		_, err := shell.Run(s.t, line)
		must(s.t, err)
	}
}

// signIn types what the page exports.
func (s *site) signIn() {
	s.t.Helper()
	s.terminal = s.shell(s.hosts[0])
	for _, line := range operations(s.t)[0].Commands() {
		if strings.HasPrefix(line, "export ") {
			s.act(line)
		}
	}
}

// commit commits, signed, what changes a title.
func (s *site) commit(title string) {
	s.t.Helper()
	shell := s.shell(s.hosts[0])
	for _, line := range []string{
		"cd /srv/honua-config", `sed -i 's,"title": "[^"]*","title": "` + title + `",' environments/production/metadata.json`, "git commit -qam 'Another title'",
	} {
		_, err := shell.Run(s.t, line)
		must(s.t, err)
	}
	s.act("honua environment sync production")
	s.await("AwaitingApproval")
}

// act types a command as the admin, without whom nothing is done.
func (s *site) act(line string) string {
	s.t.Helper()
	if strings.Contains(line, "$ID") {
		s.terminal.Env = append(s.terminal.Env, "ID="+s.newest("id"))
	}
	out, err := s.terminal.Run(s.t, line)
	must(s.t, err)
	return out
}

// operations are the blocks of the page that are typed while the cluster runs.
func operations(t *testing.T) (blocks []pages.Block) {
	for _, block := range pages.Marked(t, "production") {
		if block.Page == operationsPage {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// newest is a field of the newest deployment.
func (s *site) newest(field string) string {
	s.t.Helper()
	return strings.TrimSpace(s.act("honua deployment list -e production -o json | jq -r '.deployments[0]." + field + "'"))
}

func (s *site) await(state string) {
	s.t.Helper()
	harness.Eventually(s.t, harness.StartWithin, func() error {
		out, err := s.terminal.Run(s.t, "honua deployment list -e production -o json | jq -r '.deployments[0].state'")
		if err == nil && strings.TrimSpace(out) != state {
			err = fmt.Errorf("the newest deployment is %s, not %s", out, state)
		}
		return err
	})
}
