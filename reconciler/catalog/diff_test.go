package catalog

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// Each archive holds files before (old/) and after (new/), and the plan between them in all its forms.
func TestPlanGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/plans/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { checkPlan(t, path) })
	}
}

func checkPlan(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sides := map[string][]File{}
	want := map[string]string{}
	var inputs []txtar.File
	for _, file := range archive.Files {
		side, name, _ := strings.Cut(file.Name, "/")
		if side == "plan" {
			want[file.Name] = string(file.Data)
			continue
		}
		inputs = append(inputs, file)
		sides[side] = append(sides[side], File{Path: name, Content: file.Data})
	}
	var old *Model
	if len(sides["old"]) > 0 {
		old = mustParse(t, sides["old"])
	}
	got := render(t, old, mustParse(t, sides["new"]))
	if *update {
		archive.Files = append(inputs, got...)
		if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, file := range got {
		if diff := cmp.Diff(want[file.Name], string(file.Data)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file.Name, diff)
		}
		if bytes.Contains(file.Data, []byte("hunter2")) {
			t.Errorf("%s shows a secret", file.Name)
		}
	}
}

func render(t *testing.T, old, new *Model) []txtar.File {
	plan := Diff(old, new)
	plan.ToCommit = "abc789b0123456789012345678901234567890ab"
	if old != nil {
		plan.FromCommit, plan.EstimatedDurationSeconds = "def456a0123456789012345678901234567890ab", 2
	}
	var text, markdown bytes.Buffer
	if err := WriteText(&text, plan); err != nil {
		t.Fatal(err)
	}
	if err := WriteMarkdown(&markdown, plan); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var again Plan
	if err := json.Unmarshal(encoded, &again); err != nil {
		t.Fatal(err)
	}
	if second, err := json.MarshalIndent(again, "", "  "); err != nil || !bytes.Equal(encoded, second) {
		t.Errorf("the JSON does not come back as it was: %v\n%s", err, second)
	}
	return []txtar.File{
		{Name: "plan/text", Data: text.Bytes()},
		{Name: "plan/json", Data: append(encoded, '\n')},
		{Name: "plan/markdown", Data: markdown.Bytes()},
	}
}

func TestDiffOfSameIsEmpty(t *testing.T) {
	model := mustParse(t, largeFiles(100))
	if plan := Diff(model, model); !plan.Empty() || plan.Risk != RiskLow {
		t.Errorf("%+v", plan)
	}
}

func TestDiffWithoutNew(t *testing.T) {
	plan := Diff(mustParse(t, largeFiles(100)), nil)
	if plan.Risk != RiskCritical || plan.Removal.LayerFraction() != 1 || plan.Removal.ServiceFraction() != 1 ||
		plan.Environment != "production" {
		t.Errorf("%+v", plan.Removal)
	}
	if last := plan.RiskReasons[len(plan.RiskReasons)-1]; last != "and 6 more" {
		t.Errorf("reasons %q", plan.RiskReasons)
	}
	if empty := (Removal{}); empty.Mass() || empty.LayerFraction() != 0 {
		t.Error("nothing removed of nothing is no mass deletion")
	}
}

func TestRulesAreConsistent(t *testing.T) {
	seen := map[ruleKey]bool{}
	for _, rule := range Rules() {
		if seen[ruleKey{rule.Kind, rule.Change}] {
			t.Errorf("%s %s has two rules", rule.Kind, rule.Change)
		}
		seen[ruleKey{rule.Kind, rule.Change}] = true
		if rule.Breaking && (rule.Risk < RiskHigh || rule.Reason == "") {
			t.Errorf("%s %s is breaking, but %s for %q", rule.Kind, rule.Change, rule.Risk, rule.Reason)
		}
	}
}

func TestRisk(t *testing.T) {
	for i, name := range RiskLevels() {
		risk, err := ParseRisk(strings.ToLower(name))
		if err != nil || int(risk) != i+1 || risk.String() != name {
			t.Errorf("ParseRisk(%q) = %v, %v", name, risk, err)
		}
	}
	if _, err := ParseRisk("Severe"); err == nil {
		t.Error("Severe is no risk level")
	}
	if _, err := json.Marshal(Plan{}); err == nil {
		t.Error("a plan without a risk is no plan")
	}
}

func TestWriteTextIsSafeForTerminals(t *testing.T) {
	plan := Plan{Risk: RiskLow, Added: []Item{{Kind: KindFile, ID: "a\x1b[2J", File: "a\x1b[2J"}}}
	var text, markdown bytes.Buffer
	if err := WriteText(&text, plan); err != nil {
		t.Fatal(err)
	}
	if err := WriteMarkdown(&markdown, plan); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(append(text.Bytes(), markdown.Bytes()...), 0x1b) {
		t.Errorf("an escape sequence gets through:\n%s", text.String())
	}
}

func TestWriteMarkdownIsBounded(t *testing.T) {
	plan := Diff(nil, mustParse(t, largeFiles(1000)))
	var markdown bytes.Buffer
	if err := WriteMarkdown(&markdown, plan); err != nil || markdown.Len() > 20_000 {
		t.Errorf("%d bytes, %v", markdown.Len(), err)
	}
}

func TestPolicyChangedRaisesTheRisk(t *testing.T) {
	plan := Diff(mustParse(t, largeFiles(10)), mustParse(t, largeFiles(10)))
	plan.PolicyChanged("production", ".gitops/deployment-policy.yaml")
	want := []Change{{Item: Item{Kind: KindPolicy, ID: "production", File: ".gitops/deployment-policy.yaml"}, Fields: []string{"content"}}}
	if diff := cmp.Diff(want, plan.Modified); diff != "" || plan.Risk != RiskHigh || len(plan.RiskReasons) != 1 {
		t.Errorf("risk %v because of %q, modified (-want +got):\n%s", plan.Risk, plan.RiskReasons, diff)
	}
}
