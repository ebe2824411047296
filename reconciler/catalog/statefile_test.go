package catalog

import (
	"strings"
	"testing"
	"time"
)

// minimal is the file that the runbook has operators write by hand.
const minimal = `{
  "environment": "production",
  "currentDeployment": {
    "id": "production-20251023-143022",
    "environment": "production",
    "commit": "DEF456ABC1230000000000000000000000000000",
    "branch": "main",
    "state": "completed",
    "health": "Healthy",
    "syncStatus": "Synced",
    "startedAt": "2025-10-23T14:30:22Z",
    "completedAt": "2025-10-23T14:30:24Z",
    "initiatedBy": "manual-recovery"
  },
  "deployedCommit": "def456abc1230000000000000000000000000000",
  "health": "Healthy",
  "syncStatus": "Synced",
  "lastUpdated": "2025-10-23T14:30:24Z",
  "history": []
}
`

func TestStateFileByHand(t *testing.T) {
	got, problems := ParseStateFile(File{"production.json", []byte(minimal)})
	if len(problems) != 0 || got.Environment != "production" || got.DeployedCommit != "def456abc1230000000000000000000000000000" || len(got.Deployments) != 1 {
		t.Fatalf("%+v, %v", got, problems)
	}
	d := got.Deployments[0]
	if d.State != "Completed" || d.Commit != got.DeployedCommit || d.InitiatedBy != "manual-recovery" || d.CompletedAt.Sub(d.StartedAt) != 2*time.Second {
		t.Fatalf("%+v", d)
	}
}

// A record that is there twice counts once; the newest comes first.
func TestStateFileHistory(t *testing.T) {
	record := func(id, at string) string {
		return `{"id":"e-` + id + `","commit":"abcdef0","state":"Failed","startedAt":"` + at + `","errorMessage":null,"stateHistory":[]}`
	}
	first, second := record("1", "2025-10-01T00:00:00Z"), record("2", "2025-10-02T00:00:00+02:00")
	got, problems := ParseStateFile(File{"e.json", []byte(`{"environment":"e","currentDeployment":` + second + `,"lastSuccessfulDeployment":null,"history":[` + first + `,` + second + `]}`)})
	if len(problems) != 0 || len(got.Deployments) != 2 || got.Deployments[0].ID != "e-2" {
		t.Fatalf("%+v, %v", got, problems)
	}
}

func TestStateFileProblems(t *testing.T) {
	for name, test := range map[string]struct{ replace, by, want string }{
		"not JSON":           {"{\n", "{,\n", "production.json:1:2: Invalid JSON"},
		"no environment":     {`"environment": "production",` + "\n  \"current", `"current`, "environment: is required"},
		"a state":            {`"completed"`, `"Complete"`, `production.json:8:14: currentDeployment.state: unknown state "Complete" (known: Pending, AwaitingApproval, Applying, Completed`},
		"no state":           {`"state": "completed",`, ``, "currentDeployment.state: is required"},
		"an abridged commit": {`"DEF456ABC1230000000000000000000000000000"`, `"def456abc123..."`, `production.json:6:15: currentDeployment.commit: "def456abc123..." is no commit`},
		"an empty commit":    {`"DEF456ABC1230000000000000000000000000000"`, `""`, "production.json:6:15: currentDeployment.commit: names no commit"},
		"a commit of null":   {`"DEF456ABC1230000000000000000000000000000"`, `null`, "production.json:6:15: currentDeployment.commit: names no commit"},
		"deployed commit":    {`"def456abc1230000000000000000000000000000"`, `"HEAD"`, `production.json:15:21: deployedCommit: "HEAD" is no commit`},
		"another's":          {`"environment": "production",` + "\n    \"commit", `"environment": "staging",` + "\n    \"commit", `currentDeployment.environment: is "staging"`},
		"an id":              {`"production-20251023-143022"`, `"../../etc/x"`, `production.json:4:11: currentDeployment.id: "../../etc/x" is no deployment of "production"`},
		"a time":             {`"2025-10-23T14:30:22Z"`, `"yesterday"`, `production.json:11:18: currentDeployment.startedAt: "yesterday" is no time`},
		"a list":             {`[]`, `{}`, "history: must be a list"},
		"a misspelt name":    {`"lastUpdated"`, `"lastUpdate"`, "lastUpdate: unknown property"},
		"twice":              {`"history": []`, `"history": [], "history": []`, "history"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(minimal, test.replace) {
				t.Fatal("nothing is replaced")
			}
			_, problems := ParseStateFile(File{"production.json", []byte(strings.Replace(minimal, test.replace, test.by, 1))})
			for _, p := range problems {
				if strings.Contains(p.Error(), test.want) {
					return
				}
			}
			t.Fatalf("the problems are %v", problems)
		})
	}
}

// Any bytes have either records that can be imported, or an error.
func FuzzParseStateFile(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(`{"environment":"e","history":[{"id":"e-1","commit":"abcdef0","state":"Failed"}]}`))
	f.Add([]byte(`{"environment":"e","currentDeployment":{"id":"e-1","commit":"","state":"Completed"}}`))
	f.Add([]byte(`{"environment":1,"currentDeployment":[],"history":null,"history":{}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		got, problems := ParseStateFile(File{"f.json", content})
		if HasErrors(problems) {
			return
		}
		if got.Environment == "" {
			t.Fatal("no environment and no problem")
		}
		for _, d := range got.Deployments {
			if !plainID(d.ID) || len(d.Commit) < 7 || d.State == "" {
				t.Fatalf("%+v", d)
			}
		}
	})
}
