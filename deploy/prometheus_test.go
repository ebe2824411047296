package deploy

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// ruleFile is a file of Prometheus rules, as far as it is looked at here.
type ruleFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Record      string            `yaml:"record"`
	Expr        string            `yaml:"expr"`
	Annotations map[string]string `yaml:"annotations"`
}

// testFile is a file of promtool's unit tests.
type testFile struct {
	Tests []struct {
		Alerts []struct {
			Name     string `yaml:"alertname"`
			Expected []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	} `yaml:"tests"`
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found
}

func rules(t *testing.T) []rule {
	t.Helper()
	var all []rule
	for _, path := range glob(t, "prometheus/*.rules.yml") {
		var file ruleFile
		readYAML(t, path, &file)
		for _, g := range file.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

// The runbook's alerts keep their names.
func TestRunbookAlerts(t *testing.T) {
	var names []string
	for _, r := range rules(t) {
		names = append(names, r.Alert)
	}
	for _, name := range []string{
		"GitOpsReconciliationFailed", "GitOpsReconciliationStalled", "GitOpsReconciliationSlow", "GitOpsDeploymentPending", "GitOpsApprovalTimeout",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("no rule %s", name)
		}
	}
}

// Every alert has a test that fires it and one that does not, is quiet while nothing happens, and says what to do.
func TestEveryAlertIsTested(t *testing.T) {
	fires, quiet, whole := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, path := range glob(t, "prometheus/tests/*.test.yml") {
		var file testFile
		readYAML(t, path, &file)
		for _, test := range file.Tests {
			for _, a := range test.Alerts {
				fires[a.Name] = fires[a.Name] || len(a.Expected) > 0
				// The quiet repository is a test of all of them, and none of one.
				of := quiet
				if strings.Contains(path, "quiet") {
					of = whole
				}
				of[a.Name] = of[a.Name] || len(a.Expected) == 0
			}
		}
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s: fires in a test %v, stays quiet in one %v", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
		if !whole[r.Alert] {
			t.Errorf("%s: nothing says that it stays quiet while nothing happens", r.Alert)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Annotations["remedy"] == "" {
			t.Errorf("%s does not say what is wrong and what to do", r.Alert)
		}
	}
}

var metricName = regexp.MustCompile(`\bhonua_[a-z_]+`)

// exported are the metrics of a node, as the golden file of package web has them.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	file, err := os.Open("../api/web/testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	known := map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), "{")
		known[name] = true
		if strings.HasSuffix(rest, "histogram") || strings.HasSuffix(rest, "summary") {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				known[name+part] = true
			}
		}
	}
	return known
}

// What rules and dashboards ask for is what a node exports.
func TestQueriesNameExportedMetrics(t *testing.T) {
	known := exported(t)
	queries := map[string]string{}
	for _, r := range rules(t) {
		queries[r.Alert+r.Record] = r.Expr
	}
	for _, path := range glob(t, "grafana/dashboards/*.json") {
		for title, exprs := range dashboardQueries(t, path) {
			queries[path+": "+title] = strings.Join(exprs, "\n")
		}
	}
	if len(queries) < 50 {
		t.Fatalf("only %d queries", len(queries))
	}
	for where, query := range queries {
		for _, name := range metricName.FindAllString(query, -1) {
			if !known[name] && !strings.Contains(query, "job:"+name) {
				t.Errorf("%s asks for %s, which no node exports", where, name)
			}
		}
	}
}

// dashboardQueries are the expressions of a dashboard, by panel.
func dashboardQueries(t *testing.T, path string) map[string][]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title       string `json:"title"`
			Type        string `json:"type"`
			Description string `json:"description"`
			Targets     []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &dashboard)
	}
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string][]string{}
	for _, p := range dashboard.Panels {
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Description == "" {
			t.Errorf("%s: panel %q has no query or no description", path, p.Title)
		}
		for _, target := range p.Targets {
			queries[p.Title] = append(queries[p.Title], target.Expr)
		}
	}
	return queries
}
