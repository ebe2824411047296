package leader

import (
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
)

func candidateOf(t *testing.T, policy string) *Candidate {
	t.Helper()
	reading := &gitsync.Reading{
		Commit: gitsync.CommitInfo{SHA: "c1"},
		Files:  []gitsync.File{{Path: "environments/production/metadata.json", Content: []byte(`{"services": []}`)}},
	}
	if policy != "" {
		reading.Policy = []byte(policy)
	}
	return NewLookout(&fsm.Settings{}, "main").Find(fsm.New(), &fsm.Environment{Name: "production", Branch: "main"}, "c1",
		func(gitsync.Request) (*gitsync.Reading, error) { return reading, nil }).Candidate
}

// A commit whose policy cannot be read must not pass for the same files
// without a policy: that content may be what is active, or held.
func TestUnreadablePolicyHasNoDigest(t *testing.T) {
	plain := candidateOf(t, "")
	if plain.Digest == "" || len(plain.Problems) > 0 {
		t.Fatalf("the files alone are refused: %v", plain.Problems)
	}
	broken := candidateOf(t, "environments:\n  production:\n    minimumApprovers: many\n")
	if len(broken.Problems) == 0 || broken.ReasonCode != "policy_invalid" {
		t.Fatalf("the policy passes: %q %v", broken.ReasonCode, broken.Problems)
	}
	if broken.Digest != "" || broken.Encoded != nil {
		t.Errorf("it has the digest %.7s", broken.Digest)
	}
}
