package workflow

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// change is what scripts read of `honua settings apply -o json`.
type change struct {
	Applied bool `json:"applied"`
	Changes []struct{ Key, Before, After string }
}

// An admin adds an environment to the whole cluster by a file that no node was started with, takes one out, and the
// nodes' own files do not undo it (I16: both are on record).
func TestSettingsOfTheClusterAreAppliedFromAFile(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Environments: []string{development}})
	c.Repo.WriteSources("staging", "cities.geojson")
	commit := c.Repo.AddLayer("staging", "roads")
	both := settingsFile(t, c, development, "staging")

	var plan change
	c.CLI("settings", "apply", both, "--dry-run", "--exit-code", "-o", "json").Expect(t, 2).Decode(t, &plan)
	if plan.Applied || len(plan.Changes) == 0 || !strings.HasPrefix(plan.Changes[0].Key, "gitOps.deploymentPolicies.staging.") {
		t.Fatalf("%+v", plan)
	}
	c.CLI("settings", "apply", both, "--reason", "a second environment").Expect(t, 0)
	c.AwaitServed("staging", commit)
	c.CLI("settings", "apply", both, "--exit-code").Expect(t, 0) // nothing changes any more
	// The nodes' own files are overruled: nobody is the worse for it, and everything says so.
	status := c.CLI("cluster", "status").Expect(t, 0).Out
	if line := "! node1, node2, node3: honua settings apply has overruled the settings file in GitOps.Environments.staging: "; !strings.Contains(status, line) {
		t.Errorf("cluster status does not say %q:\n%s", line, status)
	}
	if r, err := c.Nodes[0].Get(t.Context(), "/health/ready"); err != nil || r.Code != 200 || !strings.Contains(string(r.Body), `"code":"settings-overruled"`) {
		t.Errorf("%v: %d %s", err, r.Code, r.Body)
	}

	c.Leader().Kill()
	for _, node := range c.Nodes {
		if !node.Running() {
			node.Start()
		}
	}
	c.AwaitReady()
	var shown struct {
		GitOps struct{ Environments map[string]any }
	}
	c.CLI("settings", "show", "-o", "json").Expect(t, 0).Decode(t, &shown)
	if len(shown.GitOps.Environments) != 2 {
		t.Fatalf("the nodes' own files undid the change: %+v", shown)
	}

	c.CLI("settings", "apply", settingsFile(t, c, development), "--reason", "back to one").Expect(t, 0)
	c.CLI("environment", "pause", "staging", "--reason", "gone").Expect(t, 1)
	if audit := c.CLI("audit", "list").Expect(t, 0).Out; strings.Count(audit, "settings.set") != 2 {
		t.Fatalf("I16: not two changes on record:\n%s", audit)
	}
	c.AwaitEqualStates()
}

// settingsFile is the first node's file with other environments, in a file of its own.
func settingsFile(t *testing.T, c *harness.Cluster, environments ...string) string {
	t.Helper()
	content, err := os.ReadFile(c.Nodes[0].SettingsFile())
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]harness.Section
	if err := json.Unmarshal(content, &settings); err != nil {
		t.Fatal(err)
	}
	named := harness.Section{}
	for _, name := range environments {
		named[name] = harness.Section{}
	}
	settings["GitOps"]["Environments"] = named
	encoded, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "appsettings.json")
	if err := os.WriteFile(path, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
