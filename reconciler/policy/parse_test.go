package policy

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each archive holds a policy file and every problem that Parse must find in it.
func TestProblemsGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { checkGolden(t, path) })
	}
}

func checkGolden(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, problems := Parse(File, archive.Files[0].Data)
	if (doc == nil) != (len(problems) > 0) {
		t.Errorf("document %v, problems %v", doc, problems)
	}
	var got strings.Builder
	for _, problem := range problems {
		got.WriteString(problem.Code + " " + problem.Error() + "\n")
	}
	if *update {
		archive.Files = append(archive.Files[:1], txtar.File{Name: "problems", Data: []byte(got.String())})
		if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(archive.Files[1].Data), got.String()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestParseMeaning(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/problems/good.txtar")
	if err != nil {
		t.Fatal(err)
	}
	doc, problems := Parse(File, archive.Files[0].Data)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := resolve(t, "production", doc.For("production"))
	want := Policy{
		RequiresApproval: true, MinimumApprovers: 2, ForbidAuthorApproval: true, ApprovalTimeout: 24 * time.Hour,
		Window: Window{
			Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday}, Start: 9 * 60, End: 17*60 + 30, TimeZone: "Europe/Berlin",
			Blackouts: []Blackout{
				{date("2026-06-01T06:00:00Z"), date("2026-06-01T08:00:00Z"), "Audit"},
				{date("2026-11-27T05:00:00Z"), date("2026-11-30T12:00:00Z"), "Black Friday"},
				{date("2026-12-23T23:00:00Z"), date("2026-12-26T23:00:00Z"), "Christmas"},
			},
		},
		AutoRollback: true, AfterRollback: Approve, ForcePush: Approve, MinimumRiskLevelForApproval: catalog.RiskMedium,
		HealthCheckTimeout: 90 * time.Second, StagingTimeout: 2 * time.Minute,
	}
	got.Window.location = nil
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Window{})); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if staging := resolve(t, "staging", doc.For("staging")); staging.Window.Start != 22*60 || staging.Window.End != minutesPerDay {
		t.Errorf("staging %+v", staging.Window)
	}
	if doc.For("elsewhere") != nil || (*Document)(nil).For("production") != nil {
		t.Error("an environment that is not named has an override")
	}
}

func TestParseRefusesLargeFiles(t *testing.T) {
	if _, problems := Parse(File, make([]byte, maxFile+1)); len(problems) != 1 {
		t.Error(problems)
	}
}

func resolve(t testing.TB, environment string, override *Override) Policy {
	t.Helper()
	p, err := Resolve(environment, override, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// date reads RFC 3339; a text that is none is the zero time, which no test expects.
func date(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t.UTC()
}
