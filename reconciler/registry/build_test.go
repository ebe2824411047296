package registry

import (
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

func TestStrictBuildNamesLayerSourceAndPlace(t *testing.T) {
	driver := &fakeDriver{findings: map[string][]Finding{
		"roads": {{Field: "properties[1].type", Message: "found string; expected integer", Code: CodeProperty}},
		"warns": {{Field: "idColumn", Message: "ids are not unique", Warning: true}},
	}}
	down := &fakeDriver{}
	down.down.Store(true)
	r, _ := newTestRegistry(t, driver, map[string]string{"PASSWORD": "hunter2"})
	r.config.Drivers["Down"] = down
	broken := fakeSourceOf("broken", "host;Password=${PASSWORD}")
	broken.Type = "Down"
	strange := fakeSourceOf("strange", "x")
	strange.Type = "Oracle"
	model := testModel(fakeSourceOf("roads", "a"), broken, fakeSourceOf("lost", "${MISSING}"), strange, fakeSourceOf("warns", "a"))
	c, problems := r.Build(t.Context(), BuildInput{Environment: "production", Model: model, Checks: Strict})
	if c != nil {
		t.Fatal("a catalog with errors was built")
	}
	var text strings.Builder
	for _, p := range problems {
		text.WriteString(p.Error() + " [" + p.Code + "]\n")
	}
	for _, want := range []string{
		`environments/production/datasources.json:3:7: datasources[1].connectionString: data source "broken": data source unavailable: cannot dial host;Password=${PASSWORD} (layer "broken") [source_unavailable]`,
		`datasources[2].connectionString: data source "lost": invalid connection string: environment variable MISSING is not set on this node (layer "lost") [connection_string]`,
		`datasources[3].type: data source "strange": unknown data source type "Oracle"`,
		`environments/production/metadata.json:10:5: services[0].layers[0].properties[1].type: layer "roads", data source "roads": found string; expected integer [source_property]`,
		`services[0].layers[4].idColumn: layer "warns"`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("missing %s\nin:\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "hunter2") {
		t.Error("a secret is shown")
	}
	if driver.closedCount() != driver.openedCount() {
		t.Error("a rejected build left sources open")
	}
}

func TestManyLayersOfOneBrokenSourceMakeOneProblem(t *testing.T) {
	driver := &fakeDriver{}
	driver.down.Store(true)
	r, _ := newTestRegistry(t, driver, nil)
	model := testModel(fakeSourceOf("cities", "a"))
	for range 10 {
		model.Services[0].Layers = append(model.Services[0].Layers, catalog.Layer{ID: "more", DataSource: "cities"})
	}
	_, problems := r.Build(t.Context(), BuildInput{Environment: "production", Model: model, Checks: Strict})
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "and 6 more") {
		t.Errorf("problems = %v", problems)
	}
}

// Only what had passed at staging counts as broken since: the probe says so for each layer.
func TestProbe(t *testing.T) {
	driver := &fakeDriver{findings: map[string][]Finding{}}
	r, _ := newTestRegistry(t, driver, map[string]string{"SECRET": "s3cr3t"})
	if _, ok := r.Probe(t.Context(), "production"); ok {
		t.Fatal("probed nothing")
	}
	model := testModel(fakeSourceOf("cities", "${SECRET}"), fakeSourceOf("roads", "b"))
	r.Swap("production", mustBuild(t, r, "1", Strict, model))
	results, _ := r.Probe(t.Context(), "production")
	for _, result := range results {
		if !result.OK || !result.PassedAtStaging {
			t.Errorf("healthy: %+v", result)
		}
	}
	driver.down.Store(true)
	results, _ = r.Probe(t.Context(), "production")
	if len(results) != 2 || results[0].Layer != "cities" || results[0].OK || !strings.Contains(results[0].Reason, "${SECRET}") {
		t.Errorf("down: %+v", results)
	}
	driver.down.Store(false)
	driver.findings["roads"] = []Finding{{Message: "table is gone"}}
	results, _ = r.Probe(t.Context(), "production")
	if !results[0].OK || results[1].OK || results[1].Source != "roads" {
		t.Errorf("finding: %+v", results)
	}
	r.Swap("production", mustBuild(t, r, "1", Structural, model))
	results, _ = r.Probe(t.Context(), "production")
	if results[0].PassedAtStaging {
		t.Error("a structural catalog has passed nothing")
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
