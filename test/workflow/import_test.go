package workflow

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// The file that the runbook's "manual reconstruction" makes.
const byHand = `{
  "environment": "staging",
  "currentDeployment": {
    "id": "staging-20251023-143022", "environment": "staging", "commit": "%s", "branch": "main",
    "state": "Completed", "health": "Healthy", "syncStatus": "Synced",
    "startedAt": "2025-10-23T14:30:22Z", "completedAt": "2025-10-23T14:30:24Z", "initiatedBy": "manual-recovery"
  },
  "deployedCommit": "%[1]s", "health": "Healthy", "syncStatus": "Synced", "lastUpdated": "2025-10-23T14:30:24Z",
  "history": [
    {"id": "staging-20251022-090000", "commit": "abcdef0123", "state": "AwaitingApproval", "startedAt": "2025-10-22T09:00:00Z"},
    {"id": "staging-20251023-143022", "commit": "%[1]s", "state": "Completed"}
  ]
}`

// What operators kept of another server becomes history: on every node, in the state files and in the audit; nothing of
// it is activated, approved or rolled back to, also after a restart.
func TestImportIsHistory(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Environments: []string{staging}, PollSeconds: 3600})
	head := c.Repo.Commits()[0]
	await(t, c, staging, head, complete)
	before, err := c.Environment(staging)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.Dir, "staging-20251023.json")
	if err := os.WriteFile(path, fmt.Appendf(nil, byHand, head), 0o600); err != nil {
		t.Fatal(err)
	}
	var said struct {
		Imported, Records int
		Next              string
	}
	if err := json.Unmarshal([]byte(c.CLI("environment", "import", path, "-o", "json").Expect(t, 0).Out), &said); err != nil {
		t.Fatal(err)
	}
	if said.Imported != 2 || said.Records != 2 || !strings.Contains(said.Next, "serves "+head[:7]+" already") {
		t.Errorf("%+v", said)
	}
	if out := c.CLI("environment", "import", path).Expect(t, 0).Out; !strings.Contains(out, "0 of 2 records imported; 2 known already") {
		t.Errorf("a second import says %q", out)
	}
	refused := c.CLI("deployment", "rollback", "-e", staging, "--to", "staging-20251023-143022", "--reason", "as it was").Expect(t, 1)
	if !strings.Contains(refused.Err, "was imported, without its content") {
		t.Errorf("the refusal says %q", refused.Err)
	}
	c.Nodes[0].Kill()
	c.Nodes[0].Start()
	c.AwaitReady()
	after, err := c.Environment(staging)
	if err != nil || after.GetActivationIndex() != before.GetActivationIndex() || after.GetActiveDigest() != before.GetActiveDigest() ||
		after.GetCurrentDeployment().GetId() != before.GetCurrentDeployment().GetId() {
		t.Fatalf("the import changed what is served: %v, %v", after, err)
	}
	for _, node := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error {
			content, err := os.ReadFile(filepath.Join(node.Dir, "state", staging+".json"))
			if err == nil && !strings.Contains(string(content), `"id": "staging-20251022-090000"`) {
				err = fmt.Errorf("%s's state file lacks what was imported", node.ID)
			}
			return err
		})
	}
	records := audit(t, c.Nodes[1], staging)
	found := 0
	for _, r := range records {
		if r.Action == "environment.import" {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d imports are in the audit of %d records", found, len(records))
	}
	c.AwaitEqualStates()
}
