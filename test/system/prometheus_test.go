//go:build system

package system

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

const rulesDirectory = "../../deploy/prometheus"

// The rules are valid, and each alert fires when it should and not otherwise.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	rules := files(t, rulesDirectory+"/*.rules.yml")
	promtool(t, append([]string{"check", "rules"}, rules...)...)
	promtool(t, "check", "config", rulesDirectory+"/prometheus.yml")
	promtool(t, append([]string{"test", "rules"}, files(t, rulesDirectory+"/tests/*.test.yml")...)...)
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Fatalf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// prometheus is a real one that scrapes a cluster with the rules of deploy.
type prometheus struct {
	t       *testing.T
	address string
}

func startPrometheus(t *testing.T, c *harness.Cluster) *prometheus {
	t.Helper()
	directory := t.TempDir()
	var targets []string
	for _, node := range c.Nodes {
		targets = append(targets, fmt.Sprintf("%q", node.HTTP))
	}
	rules, err := filepath.Abs(rulesDirectory)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%[1]q, %[2]q]
scrape_configs:
  - job_name: honua
    static_configs: [{targets: [%[3]s]}]
`, rules+"/honua.rules.yml", rules+"/honua-slo.rules.yml", strings.Join(targets, ","))
	if err := os.WriteFile(filepath.Join(directory, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &prometheus{t: t, address: fmt.Sprintf("127.0.0.1:%d", harness.TakePorts(t).Base())}
	process, err := harness.StartProcess(exec.Command("prometheus", "--config.file="+directory+"/prometheus.yml",
		"--storage.tsdb.path="+directory+"/data", "--web.listen-address="+p.address), directory+"/log")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
	return p
}

// query returns the values of an expression, by series.
func (p *prometheus) query(expr string) ([]map[string]string, error) {
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Metric map[string]string }
		}
	}
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet,
		"http://"+p.address+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	var series []map[string]string
	for _, r := range answer.Data.Result {
		series = append(series, r.Metric)
	}
	return series, nil
}

// A real Prometheus scrapes a cluster that deploys, fails to read its repository and rolls back; every query of the
// dashboards has an answer, every node is up, and no alert is wrong about it.
func TestScrapedByPrometheus(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	p := startPrometheus(t, c)
	p.eventually(`count(up{job="honua"} == 1) == 3`)
	c.AwaitServed(development, c.Repo.AddLayer(development, "capitals"))
	harness.Eventually(t, harness.DeployWithin, func() error {
		_, err := c.Nodes[0].Get(t.Context(), "/ogc/collections/cities/items")
		return err
	})
	p.eventually(`sum(honua_gitops_reconciliation_duration_count{status="success"}) >= 6`)
	away := c.Repo.Dir + ".away"
	if err := os.Rename(c.Repo.Dir, away); err != nil {
		t.Fatal(err)
	}
	p.eventually(`sum(honua_git_errors_total) > 0`)
	if err := os.Rename(away, c.Repo.Dir); err != nil {
		t.Fatal(err)
	}
	rollback := exec.CommandContext(t.Context(), harness.Binary(t), "deployment", "rollback", "-e", development, "--reason", "a drill",
		"--address", strings.Join(c.Addresses(), ","))
	if out, err := rollback.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.eventually(`count(honua_gitops_restore_time_seconds) == 3`)
	for _, file := range files(t, "../../deploy/grafana/dashboards/*.json") {
		p.dashboard(file)
	}
	if firing, err := p.query(`ALERTS{alertstate="firing"}`); err != nil || len(firing) > 0 {
		t.Errorf("%v, %v", firing, err)
	}
}

func (p *prometheus) eventually(expr string) {
	p.t.Helper()
	harness.Eventually(p.t, harness.DeployWithin, func() error {
		series, err := p.query(expr)
		if err == nil && len(series) == 0 {
			err = fmt.Errorf("%s has no result", expr)
		}
		return err
	})
}

// dashboard asks every query of a dashboard; each has a result.
func (p *prometheus) dashboard(file string) {
	p.t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, &dashboard)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	variables := strings.NewReplacer("$job", ".*", "$environment", ".*", "$__rate_interval", "1m")
	asked := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			asked++
			if strings.Contains(target.Expr, "honua_tls_") {
				continue // nodes on loopback have no certificates
			}
			p.eventually(variables.Replace(target.Expr))
		}
	}
	if asked == 0 {
		p.t.Errorf("%s has no query", file)
	}
}
