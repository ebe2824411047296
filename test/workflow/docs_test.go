package workflow

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/internal/duration"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

const reference = "../../docs/approvals-and-policies.md"

// The tables of the reference are what the code says. UPDATE_GOLDEN=1 rewrites them.
func TestReferenceTables(t *testing.T) {
	content, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for name, table := range map[string]string{"risks": riskTable(), "defaults": defaultsTable()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		before, rest, found := strings.Cut(text, begin)
		shown, after, closed := strings.Cut(rest, end)
		switch {
		case !found || !closed:
			t.Errorf("%s has no table %q", reference, name)
		case os.Getenv("UPDATE_GOLDEN") != "":
			text = before + begin + table + end + after
		case shown != table:
			t.Errorf("the table %q is not what the code says (UPDATE_GOLDEN=1 rewrites it):\n%s", name, table)
		}
	}
	if text != string(content) {
		if err := os.WriteFile(reference, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func riskTable() string {
	var b strings.Builder
	b.WriteString("| what | change | risk | breaks clients, because |\n|---|---|---|---|\n")
	for _, r := range catalog.Rules() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Kind, r.Change, r.Risk, r.Reason)
	}
	return b.String()
}

func defaultsTable() string {
	environments := []string{"production", "staging", "development"}
	policies := make([]policy.Policy, len(environments))
	for i, name := range environments {
		policies[i] = policy.Default(name)
	}
	var b strings.Builder
	b.WriteString("| field | production | staging, others | development |\n|---|---|---|---|\n")
	row := func(field string, value func(policy.Policy) any) {
		fmt.Fprintf(&b, "| `%s` |", field)
		for _, p := range policies {
			fmt.Fprintf(&b, " %v |", value(p))
		}
		b.WriteString("\n")
	}
	row("requiresApproval", func(p policy.Policy) any { return p.RequiresApproval })
	row("minimumApprovers", func(p policy.Policy) any { return p.MinimumApprovers })
	row("forbidAuthorApproval", func(p policy.Policy) any { return p.ForbidAuthorApproval })
	row("approvalTimeout", func(p policy.Policy) any { return duration.Format(p.ApprovalTimeout) })
	row("minimumRiskLevelForApproval", func(p policy.Policy) any { return p.MinimumRiskLevelForApproval })
	row("forcePush", func(p policy.Policy) any { return p.ForcePush })
	row("autoRollback", func(p policy.Policy) any { return p.AutoRollback })
	row("rollbackRequiresApproval", func(p policy.Policy) any { return p.RollbackRequiresApproval })
	row("afterRollback", func(p policy.Policy) any { return p.AfterRollback })
	row("stagingTimeout", func(p policy.Policy) any { return duration.Format(p.StagingTimeout) })
	row("healthCheckTimeout", func(p policy.Policy) any { return duration.Format(p.HealthCheckTimeout) })
	return b.String()
}
