//go:build unix

package acceptance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/pages"
)

const production = "production"

// guarded is a cluster with TLS, roles and an environment whose deployments wait for somebody. It has what each command
// of the documentation acts on.
type guarded struct {
	*harness.Cluster
	t      *testing.T
	env    []string
	tokens map[string]string
	// acted is the deployment that a command acts on: $ID and $COMMIT.
	acted  deployment
	titles int
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	c := harness.Start(t, harness.Options{Environments: []string{production}, Unready: true, Secure: true})
	g := &guarded{
		Cluster: c, t: t, tokens: map[string]string{},
		env: append(typist(harness.Programs(t)), "HONUA_ADDRESS="+strings.Join(c.Addresses(), ","), "HONUA_CA="+c.CAFile()),
	}
	first := awaitState(t, c, production, c.Repo.Commits()[0], "AwaitingApproval")
	for _, role := range []string{"viewer", "deployer", "approver", "admin"} {
		made := c.CLI("token", "create", "--role", role, "--identity", role+"@example.com").Expect(t, 0)
		g.tokens[role] = strings.TrimSpace(made.Out)
	}
	c.CLI("deployment", "approve", first.ID).Expect(t, 0)
	g.acted = first
	g.importable()
	return g
}

// importable is a state file of another server where the documentation has one.
func (g *guarded) importable() {
	g.t.Helper()
	path := filepath.Join(g.Dir, "backups", "deployments", "production-20251023.json")
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(harness.KeptState), 0o600)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// role is the least one that may do what a command does, as docs/security.md has it.
func role(command string) string {
	does := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(command, part) })
	}
	switch {
	case does("--override", "--all", "environment import", "cluster transfer-leader"):
		return "admin"
	case does("deployment approve", "deployment reject", "deployment rollback", "--lift-hold"):
		return "approver"
	case does("environment sync", "environment pause", "environment resume", "deployment retry", "deployment cancel"):
		return "deployer"
	}
	return "viewer"
}

// arrange has the cluster in a state in which a command can be typed.
func (g *guarded) arrange(command string) {
	g.t.Helper()
	switch {
	case strings.Contains(command, "deployment approve"), strings.Contains(command, "deployment reject"):
		g.waiting()
	case strings.Contains(command, "deployment retry"), strings.Contains(command, "--lift-hold"):
		g.rejected()
	case strings.Contains(command, "deployment rollback"):
		before := g.completed()
		g.completed()
		g.acted = before
	}
}

// commit commits another title.
func (g *guarded) commit() string {
	g.titles++
	return g.Repo.SetTitle(production, fmt.Sprintf("World Cities, edition %d", g.titles))
}

// waiting is a deployment that awaits approval.
func (g *guarded) waiting() {
	g.t.Helper()
	if list := deployments(g.t, g.Cluster, production); list[0].State == "AwaitingApproval" {
		g.acted = list[0]
		return
	}
	commit := g.commit()
	g.CLI("environment", "sync", production).Expect(g.t, 0)
	g.acted = awaitState(g.t, g.Cluster, production, commit, "AwaitingApproval")
}

func (g *guarded) rejected() {
	g.t.Helper()
	g.waiting()
	g.CLI("deployment", "reject", g.acted.ID, "--reason", "not yet").Expect(g.t, 0)
}

func (g *guarded) completed() deployment {
	g.t.Helper()
	g.waiting()
	g.CLI("deployment", "approve", g.acted.ID).Expect(g.t, 0)
	return awaitState(g.t, g.Cluster, production, g.acted.Commit, "Completed")
}

func (g *guarded) shell() *pages.Shell {
	return &pages.Shell{Dir: g.Dir, Places: []string{
		"10.0.0.1:7700,10.0.0.2:7700,10.0.0.3:7700", strings.Join(g.Addresses(), ","), "http://127.0.0.1:5000", "https://" + g.Nodes[0].HTTP, "/var/honua", g.Dir,
		"pki/ca.pem", g.CAFile(), "pki/alice.pem", g.Admin().Cert, "pki/alice.key", g.Admin().Key, // a token counts before them
	}}
}

// run types one command as who may.
func (g *guarded) run(shell *pages.Shell, command string) error {
	g.t.Helper()
	g.arrange(command)
	shell.Env = append(slices.Clip(g.env), "HONUA_TOKEN="+g.tokens[role(command)], "ID="+g.acted.ID, "COMMIT="+g.acted.Commit)
	if command == "honua deployment watch" {
		return g.watch(shell, command)
	}
	_, err := shell.Run(g.t, command)
	return err
}

// watch has something happen that a command shows until it is interrupted.
func (g *guarded) watch(shell *pages.Shell, command string) error {
	g.t.Helper()
	output := filepath.Join(g.t.TempDir(), "watched")
	process, err := harness.StartProcess(shell.Command(g.t.Context(), "exec "+command), output)
	if err != nil {
		return err
	}
	g.t.Cleanup(process.Kill)
	commit := g.commit()
	harness.Eventually(g.t, harness.DeployWithin, func() error {
		said, err := os.ReadFile(output)
		if err == nil && !strings.Contains(string(said), commit[:7]) {
			err = fmt.Errorf("%s shows nothing of %s:\n%s", command, commit, said)
		}
		return err
	})
	return process.Stop(syscall.SIGINT)
}

// What operators of production type works as it stands in the documentation, in its order, with no more rights than the
// documentation says that it needs.
func TestProductionCommandsOfTheDocs(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	for _, block := range pages.Marked(t, production) {
		shell := g.shell()
		for _, command := range block.Commands() {
			if need := missing(command); need != "" {
				t.Logf("%s: not run without %s: %s", block.Place(), need, command)
			} else if err := g.run(shell, command); err != nil {
				t.Errorf("%s, as %s: %v", block.Place(), role(command), err)
			}
		}
	}
	g.CheckJournals(production)
	g.CheckDeployments(production)
}

// In a clone of the repository the documented commands show what a change of the documented policy does.
func TestRepositoryCommandsOfTheDocs(t *testing.T) {
	t.Parallel()
	repo := harness.NewRepo(t, filepath.Join(t.TempDir(), "config"), production)
	dir := filepath.Join(t.TempDir(), "clone")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "-q", repo.Dir, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	policy := filepath.Join(dir, ".gitops", "deployment-policy.yaml")
	if err := errors.Join(os.Mkdir(filepath.Dir(policy), 0o755), os.WriteFile(policy, []byte(pages.One(t, "yaml policy").Text), 0o644)); err != nil {
		t.Fatal(err)
	}
	shell := pages.Shell{Dir: dir, Env: typist(harness.Programs(t))}
	for _, command := range []string{"git add .gitops", "git commit -qm 'Say the policy'", "honua validate . -e production"} {
		if _, err := shell.Run(t, command); err != nil {
			t.Fatal(err)
		}
	}
	for _, block := range pages.Marked(t, "repository") {
		for _, command := range block.Commands() {
			out, err := shell.Run(t, command)
			if err != nil || !strings.Contains(out, "High") || !strings.Contains(out, "olicy") {
				t.Errorf("%s: %v\n%s", block.Place(), err, out)
			}
		}
	}
}
