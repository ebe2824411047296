package checks

import (
	"bytes"
	"os"
	"testing"

	"sigs.k8s.io/yaml"
)

const ruleFile = "../base/prometheusrule.yaml"

// The PrometheusRule is what deploy/prometheus has. UPDATE_GOLDEN=1 writes it again.
func TestPrometheusRuleIsTheRules(t *testing.T) {
	var groups []any
	for _, name := range []string{"honua.rules.yml", "honua-slo.rules.yml"} {
		content, err := os.ReadFile("../../prometheus/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Groups []any `json:"groups"`
		}
		if err := yaml.Unmarshal(content, &file); err != nil {
			t.Fatal(err)
		}
		groups = append(groups, file.Groups...)
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
		"metadata": map[string]any{"name": "honua"}, "spec": map[string]any{"groups": groups},
	})
	if err != nil {
		t.Fatal(err)
	}
	text = append([]byte("# Written from deploy/prometheus by UPDATE_GOLDEN=1 make test-kubernetes.\n"), text...)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(ruleFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(ruleFile)
	if err != nil || !bytes.Equal(committed, text) {
		t.Errorf("%s is not what deploy/prometheus has (UPDATE_GOLDEN=1 writes it again): %v", ruleFile, err)
	}
}
