package leader

import (
	"errors"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

const emptyCatalog = `{"services": []}`

// readingOf is a commit with a metadata.json and a policy file; empty for none.
func readingOf(metadata, policyFile string) *gitsync.Reading {
	r := &gitsync.Reading{Commit: gitsync.CommitInfo{SHA: "c1", Message: "subject\n\nbody"}, NoEnvironment: metadata == ""}
	if metadata != "" {
		r.Files = []gitsync.File{{Path: "environments/prod/metadata.json", Content: []byte(metadata)}}
	}
	if policyFile != "" {
		r.Policy = []byte(policyFile)
	}
	return r
}

func TestPrepare(t *testing.T) {
	for _, test := range []struct {
		name   string
		base   base
		from   *gitsync.Reading
		reason string
		// problem is a part of the first problem.
		problem string
		absent  bool
	}{
		{"good", base{}, readingOf(emptyCatalog, ""), "", "", false},
		{"broken JSON", base{}, readingOf(`{"services": [`, ""), "validation_failed", "metadata.json", false},
		{"no such environment", base{}, readingOf("", ""), "", "", true},
		{"I17: an environment that vanished", base{digest: "active"}, readingOf("", ""), "validation_failed", "metadata.json", false},
		{"unreadable policy", base{}, readingOf(emptyCatalog, "environments: ["), "policy_invalid", policy.File, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := prepare("prod", "main", test.base, test.from)
			if c.Absent != test.absent || c.ReasonCode != test.reason {
				t.Fatalf("absent %t, reason %q: %v", c.Absent, c.ReasonCode, c.Problems)
			}
			if test.problem != "" && (len(c.Problems) == 0 || !strings.Contains(c.Problems[0], test.problem)) {
				t.Fatalf("the problems are %v", c.Problems)
			}
			if good := test.reason == "" && !test.absent; good != (c.Encoded != nil) {
				t.Fatalf("there is a content: %t", c.Encoded != nil)
			}
		})
	}
}

func TestPreparedContentIsWhatWasRead(t *testing.T) {
	file := "environments:\n  prod:\n    minimumApprovers: 2\n"
	c := prepare("prod", "main", base{}, readingOf(emptyCatalog, file))
	if len(c.Problems) > 0 {
		t.Fatal(c.Problems)
	}
	opened, err := content.Decode(c.Encoded)
	if err != nil {
		t.Fatal(err)
	}
	if len(opened.Files) != 1 || string(opened.Files[0].Content) != emptyCatalog || string(opened.Policy) != string(c.next.GetCanonical()) {
		t.Fatalf("the content holds %+v", opened)
	}
	m := c.command(7, start)
	if m.GetIdStem() != "prod-20231114-221320" || m.GetExpectedSequence() != 7 || m.GetNextPolicy().GetMinimumApprovers() != 2 {
		t.Fatalf("the command is %+v", m)
	}
	again := prepare("prod", "main", base{digest: c.Digest}, readingOf(emptyCatalog, file))
	if again.Digest != c.Digest {
		t.Fatal("equal files, another digest")
	}
}

// A policy that asks for less is a change like any other, and no small one.
func TestChangeOfPolicyRaisesTheRisk(t *testing.T) {
	model, _ := catalog.Parse("prod", []catalog.File{{Path: "environments/prod/metadata.json", Content: []byte(emptyCatalog)}})
	plain := prepare("prod", "main", base{digest: "d", model: model}, readingOf(emptyCatalog, ""))
	changed := prepare("prod", "main", base{digest: "d", model: model}, readingOf(emptyCatalog, "environments:\n  prod:\n    requiresApproval: false\n"))
	if len(plain.Problems)+len(changed.Problems) > 0 {
		t.Fatal(plain.Problems, changed.Problems)
	}
	if plain.plan.Risk != catalog.RiskLow || changed.plan.Risk <= plain.plan.Risk {
		t.Fatalf("risk without a change %s, with one of the policy %s", plain.plan.Risk, changed.plan.Risk)
	}
	if plain.Digest == changed.Digest {
		t.Fatal("another policy, the same digest")
	}
}

func TestProblemsOfReading(t *testing.T) {
	c := unread("prod", "main", "c1", base{}, errors.New("no route"))
	if c.Code == "" || len(c.Problems) > 0 {
		t.Fatalf("%+v would be taken for a commit", c)
	}
	many := make([]string, 250)
	if got := bounded(many); len(got) != maxProblems+1 || got[maxProblems] != "and 150 more" {
		t.Fatalf("%d problems are kept", len(got))
	}
}

func TestPolicyValue(t *testing.T) {
	p := policy.Default("production")
	p.MinimumApprovers = 3
	value, err := p.Value()
	if err != nil {
		t.Fatal(err)
	}
	if !value.GetRequiresApproval() || value.GetMinimumApprovers() != 3 || !value.GetAutoRollback() ||
		value.GetMinimumRisk() != pb.RiskValue_RISK_VALUE_MEDIUM || value.GetApprovalTimeoutMs() != 24*3_600_000 ||
		!value.GetApproveRewrite() || !value.GetApproveAfterRollback() {
		t.Fatalf("the value is %+v", value)
	}
	back, err := policy.FromNormalised(value.GetCanonical())
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.Value()
	if err != nil || string(again.GetCanonical()) != string(value.GetCanonical()) {
		t.Fatalf("the canonical text reads as something else: %v", err)
	}
}
