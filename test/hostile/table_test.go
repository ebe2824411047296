package hostile

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every cell of the table has cases or is explained, and none is both.
func TestEveryCellIsFilledOrExplained(t *testing.T) {
	cells, explained := ByCell(), Explained()
	for _, class := range Classes() {
		for _, phase := range Phases() {
			cell := Cell{class, phase}
			filled, why := len(cells[cell]), explained[cell]
			if (filled > 0) == (why != "") {
				t.Errorf("%s in %s: %d cases, explained by %q", class, phase, filled, why)
			}
			delete(cells, cell)
			delete(explained, cell)
		}
	}
	if len(cells)+len(explained) > 0 {
		t.Errorf("of no cell: %v, %v", cells, explained)
	}
	seen := map[string]bool{}
	for _, c := range Cases() {
		if seen[c.ID()] || c.Code == "" || c.Attack == nil {
			t.Errorf("%s is there twice, or incomplete", c.ID())
		}
		seen[c.ID()] = true
	}
}

const page = "../../docs/hostile-repositories.md"

var generated = regexp.MustCompile(`(?s)(<!-- the table begins -->\n).*(<!-- the table ends -->)`)

// The page shows the table as it is; UPDATE_GOLDEN=1 writes it.
func TestThePageShowsTheTable(t *testing.T) {
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := generated.ReplaceAllString(string(content), "${1}\n"+strings.ReplaceAll(Markdown(), "$", "$$")+"\n${2}")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(content) || !strings.Contains(want, "### Parse") {
		t.Errorf("%s is not what the code says: UPDATE_GOLDEN=1 go test ./test/hostile writes it", page)
	}
}
