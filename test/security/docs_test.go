package security

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/pages"
)

const securityPage = "docs/security.md"

// guide is docs/security.md, and the place of this machine that stands for those it names.
type guide struct {
	t      *testing.T
	blocks []pages.Block
	dir    string
	// programs goes into PATH.
	programs string
	base     harness.Ports
	issuer   *issuer
	nodes    []*harness.Process
}

func openGuide(t *testing.T) *guide {
	t.Helper()
	return &guide{t: t, blocks: pages.Of(t, securityPage), dir: t.TempDir(), programs: harness.Programs(t), base: harness.TakePorts(t), issuer: newIssuer(t)}
}

// block is what is in the page's fenced blocks with this behind their fence, in order; of commands, in those of all pages.
func (g *guide) block(kind string) string {
	g.t.Helper()
	text, blocks := "", g.blocks
	if strings.HasPrefix(kind, "console ") {
		blocks = pages.All(g.t)
	}
	for _, block := range blocks {
		if block.Info == kind {
			text += block.Text
		}
	}
	if text == "" {
		g.t.Fatalf("%s has no block %q", securityPage, kind)
	}
	return text
}

// settings are the page's settings of a node, with those that the page names beside them.
func (g *guide) settings(node int) string {
	g.t.Helper()
	whole := strings.TrimSuffix(strings.TrimSpace(g.here(g.block("json appsettings"), node)), "}")
	auth := harness.Section{}
	for _, block := range g.blocks {
		if block.Info == "json settings" {
			for name, section := range pages.Settings(g.t, block)["Auth"].(harness.Section) {
				auth[name] = section
			}
		}
	}
	auth["Oidc"].(harness.Section)["Issuer"] = g.issuer.url
	text, err := json.Marshal(auth)
	if err != nil {
		g.t.Fatal(err)
	}
	return whole + `, "Auth": ` + g.here(string(text), node) + "}\n"
}

// here makes a text about node1 one about another node, on this machine: hosts are addresses of loopback, ports free ones,
// folders temporary.
func (g *guide) here(text string, node int) string {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, `"Join"`) && !strings.Contains(line, "tls server") && !strings.Contains(line, "HONUA_ADDRESS") {
			line = strings.ReplaceAll(strings.ReplaceAll(line, "node1", "node"+strconv.Itoa(node)), "10.0.0.1", "10.0.0."+strconv.Itoa(node))
		}
		lines = append(lines, line)
	}
	text = strings.Join(lines, "")
	for port, offset := range map[string]int{"7700": 0, "7701": 1, "7702": 2, "5000": 3} {
		text = regexp.MustCompile(`(10\.0\.0\.\d:)`+port).ReplaceAllString(text, "${1}"+strconv.Itoa(g.base.Base()+offset))
	}
	for from, to := range map[string]string{
		"10.0.0.": "127.0.0.", "/etc/honua": g.etc(node), "/var/lib/honua": filepath.Join(g.dir, "node"+strconv.Itoa(node)),
		"https://git.example.org/gis/config.git": "file://" + filepath.Join(g.dir, "config"),
	} {
		text = strings.ReplaceAll(text, from, to)
	}
	return text
}

func (g *guide) etc(node int) string { return filepath.Join(g.dir, "etc"+strconv.Itoa(node)) }

// run runs a block's commands as one script, after the one of the client if there is one, and returns what they print.
func (g *guide) run(kind string, node int, before string, env ...string) string {
	g.t.Helper()
	var script strings.Builder
	for line := range strings.Lines(before + g.block(kind)) {
		command, is := strings.CutPrefix(line, "$ ")
		if !is {
			g.t.Fatalf("%s: %q is no command", kind, line)
		}
		script.WriteString(command)
	}
	command := exec.CommandContext(g.t.Context(), "bash", "-euo", "pipefail", "-c", g.here(script.String(), node))
	command.Dir = g.dir
	command.Env = append(append(os.Environ(), "PATH="+g.programs+":"+os.Getenv("PATH"), "NO_COLOR=1"), env...)
	out, err := command.CombinedOutput()
	if err != nil {
		g.t.Fatalf("%s of node %d: %v\n%s\n%s", kind, node, err, script.String(), out)
	}
	return string(out)
}

// Whoever does what docs/security.md says gets a cluster of three nodes with TLS on every port that does the main job.
func TestDocumentedCluster(t *testing.T) {
	t.Parallel()
	g := openGuide(t)
	repo := harness.NewRepo(t, filepath.Join(g.dir, "config"), "production")
	g.run("console tls", 1, "")
	for node := 1; node <= 3; node++ {
		g.start(node)
	}
	client := regexp.MustCompile(`(?m)^\$ export .*\n`).FindAllString(g.block("console client"), -1)
	say := func(line string) (string, error) {
		command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", g.here(strings.ReplaceAll(strings.Join(client, ""), "$ ", "")+line, 1))
		command.Dir, command.Env = g.dir, append(os.Environ(), "PATH="+g.programs+":"+os.Getenv("PATH"))
		out, err := command.CombinedOutput()
		return string(out), err
	}
	waiting := regexp.MustCompile(`production-\d{8}-\d{6}`)
	harness.Eventually(t, harness.StartWithin, func() error {
		out, err := say("honua status")
		if err == nil && !strings.Contains(out, "Awaiting approval") {
			err = fmt.Errorf("nothing awaits approval: %s", out)
		}
		return err
	})
	out := g.run("console client", 1, "")
	out2, err := say("honua deployment approve " + waiting.FindString(out))
	if err != nil {
		t.Fatalf("approve: %v\n%s\n%s", err, out, out2)
	}
	if _, err := say("honua environment wait production --commit " + repo.Commits()[0]); err != nil {
		t.Fatal(err)
	}
	if out, err := say("honua cluster status"); err != nil || strings.Count(out, "yes") < 3 || strings.Contains(out, "\n! ") {
		t.Errorf("not all are well: %v\n%s", err, out)
	}
	g.others(say, repo)
	g.keys(say, client)
	for _, node := range g.nodes {
		if err := node.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
}

// start does on one node what the guide says, and starts it.
func (g *guide) start(node int) {
	g.t.Helper()
	for _, dir := range []string{g.etc(node), filepath.Join(g.dir, "node"+strconv.Itoa(node))} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			g.t.Fatal(err)
		}
	}
	if err := scaffold.WriteCities(filepath.Join(g.dir, "node"+strconv.Itoa(node), "cluster", "data")); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(g.dir, "node"+strconv.Itoa(node), "cluster"), 0o700); err != nil {
		g.t.Fatal(err)
	}
	g.run("console node", node, "")
	if node == 1 {
		g.run("console admin-token", node, "")
	} else if err := os.Link(filepath.Join(g.etc(1), "admin.token"), filepath.Join(g.etc(node), "admin.token")); err != nil {
		g.t.Fatal(err) // one token for all nodes
	}
	file := filepath.Join(g.etc(node), "appsettings.json")
	for path, content := range map[string]string{file: g.settings(node), filepath.Join(g.etc(node), "git.token"): "not needed for file://\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	if out := g.run("console check", node, ""); strings.Contains(out, "warning") || !strings.Contains(out, "is valid") {
		g.t.Errorf("the documented configuration is weak: %s", out)
	}
	process, err := harness.StartProcess(exec.Command(harness.Binary(g.t), "server", "--config", file), filepath.Join(g.dir, "log"+strconv.Itoa(node)))
	if err != nil {
		g.t.Fatal(err)
	}
	g.nodes = append(g.nodes, process)
	g.t.Cleanup(process.Kill)
}

// others are those who come without a certificate: with the token of the configuration, and from the provider of identities,
// whose group may approve.
func (g *guide) others(say func(string) (string, error), repo *harness.Repo) {
	g.t.Helper()
	for who, token := range map[string]string{"admin-token": "$(cat /etc/honua/admin.token)", "grace@example.org": g.issuer.token("grace@example.org", time.Hour)} {
		commit := repo.SetTitle("production", "World Cities, for "+who)
		as := "unset HONUA_CERT HONUA_KEY; export HONUA_TOKEN=" + token + "\n"
		out, err := say("honua environment sync production\n" + as + "honua deployment list -e production -o json")
		if err != nil {
			g.t.Fatalf("%s: %v\n%s", who, err, out)
		}
		_, list, _ := strings.Cut(out, `"deployments"`)
		id := regexp.MustCompile(`production-\d{8}-\d{6}[-\d]*`).FindString(list)
		if out, err := say(as + "honua deployment approve " + id + " --approver " + who); err != nil {
			g.t.Fatalf("%s: %v\n%s", who, err, out)
		}
		if out, err := say("honua environment wait production --commit " + commit); err != nil {
			g.t.Fatalf("%v\n%s", err, out)
		}
	}
}

// keys runs what the guide says of tokens and of the gossip key.
func (g *guide) keys(say func(string) (string, error), client []string) {
	g.t.Helper()
	before := strings.Join(client, "")
	made, err := say("honua token create --role viewer")
	if err != nil {
		g.t.Fatal(made)
	}
	id := regexp.MustCompile(`\b[0-9a-f]{16}\b`)
	g.run("console token", 1, before, "ID="+id.FindString(made))
	listed, err := say("honua cluster gossip-key list")
	if err != nil {
		g.t.Fatal(listed)
	}
	old := id.FindString(listed)
	script := strings.SplitAfter(strings.ReplaceAll(g.block("console gossip"), `"`, ""), "\n")
	out, err := say(strings.TrimPrefix(script[0], "$ "))
	if err != nil {
		g.t.Fatal(out)
	}
	listed, err = say(strings.TrimPrefix(script[1], "$ "))
	if err != nil {
		g.t.Fatal(listed)
	}
	fresh := ""
	for _, key := range id.FindAllString(listed, -1) {
		if key != old {
			fresh = key
		}
	}
	for _, line := range script[2:] {
		if out, err := say(strings.NewReplacer("$ ", "", "$NEW", fresh, "$OLD", old).Replace(line)); err != nil {
			g.t.Fatalf("%s%v\n%s", line, err, out)
		}
	}
}
