package workflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

const staging = "staging"

// startOne starts a cluster of one node that looks for commits when it is asked to, and only then.
func startOne(t *testing.T, environment string, adjust harness.Section) *harness.Cluster {
	t.Helper()
	return harness.Start(t, harness.Options{
		Nodes: 1, Environments: []string{environment}, PollSeconds: 3600, Unready: true,
		Adjust: func(_ *harness.Node, settings harness.Section) {
			for key, value := range adjust {
				settings["GitOps"].(harness.Section)[key] = value
			}
		},
	})
}

// GitOps.DryRun shows for each commit what would happen, and activates nothing.
func TestDryRunActivatesNothing(t *testing.T) {
	t.Parallel()
	c := startOne(t, staging, harness.Section{"DryRun": true})
	commits := []func() string{
		func() string { return c.Repo.Commits()[0] },
		func() string { return c.Repo.AddLayer(staging, "rivers") },
	}
	for _, next := range commits {
		commit := next()
		look(t, c, staging)
		d := await(t, c, staging, commit, pending)
		harness.Eventually(t, harness.DeployWithin, func() error {
			d, err := find(c, staging, commit)
			if err == nil && !strings.Contains(d.GetStateHistory()[len(d.GetStateHistory())-1].GetMessage(), "dry run: staged on 1 nodes") {
				err = fmt.Errorf("%v", d.GetStateHistory())
			}
			return err
		})
		if out := c.CLI("deployment", "plan", "-e", staging).Expect(t, 0).Out; !strings.Contains(out, "Layer: cities") {
			t.Errorf("the plan does not say what would happen:\n%s", out)
		}
		if times, kinds := activated(t, c, d); times != 0 || len(kinds) != 0 {
			t.Errorf("a dry run activated %v", kinds)
		}
	}
}

// A pause keeps what waits from being applied until it ends, by a word, by the clock, or for one deployment by an
// override; what is newer supersedes what has not begun.
func TestPauseFreezeAndOverride(t *testing.T) {
	t.Parallel()
	c := startOne(t, staging, nil)
	await(t, c, staging, c.Repo.Commits()[0], complete)
	c.CLI("environment", "pause", staging, "--reason", "census", "--until", "2001-01-01T00:00:00Z").Expect(t, 1)
	c.CLI("environment", "pause", staging, "--reason", " ").Expect(t, 1)

	c.CLI("environment", "pause", staging, "--reason", "census").Expect(t, 0)
	older := c.Repo.SetTitle(staging, "One")
	look(t, c, staging)
	await(t, c, staging, older, pending)
	newer := c.Repo.SetTitle(staging, "Two")
	if out := c.CLI("environment", "sync", staging).Expect(t, 0); !strings.Contains(out.Out, "census") {
		t.Errorf("sync does not say what keeps it waiting: %s", out.Out)
	}
	if d, err := find(c, staging, older); err != nil || d.GetSupersededBy() == "" {
		t.Errorf("%v is not superseded: %v", d.GetId(), err)
	}
	d := await(t, c, staging, newer, pending)
	c.CLI("deployment", "retry", d.GetId(), "--override").Expect(t, 1)
	c.CLI("deployment", "retry", d.GetId(), "--override", "--reason", "fixes the outage").Expect(t, 0)
	await(t, c, staging, newer, complete)
	if !slices.ContainsFunc(audit(t, c.Nodes[0], d.GetId()), func(r record) bool {
		return r.Action == "deployment.override" && r.Reason == "fixes the outage"
	}) {
		t.Error("the override is not in the audit")
	}

	third := c.Repo.SetTitle(staging, "Three")
	look(t, c, staging)
	await(t, c, staging, third, pending)
	c.CLI("environment", "resume", staging).Expect(t, 0)
	await(t, c, staging, third, complete)

	c.CLI("environment", "pause", "--all", "--reason", "moving house", "--until", "2s").Expect(t, 0)
	fourth := c.Repo.SetTitle(staging, "Four")
	look(t, c, staging)
	await(t, c, staging, fourth, pending, complete)
	await(t, c, staging, fourth, complete)
}

// A window that opens starts what waits, without a poll.
func TestWindowOpensWithoutAPoll(t *testing.T) {
	t.Parallel()
	c := startOne(t, staging, nil)
	await(t, c, staging, c.Repo.Commits()[0], complete)
	opens := time.Now().Add(8 * time.Second).UTC().Truncate(time.Second)
	writePolicy(c, fmt.Sprintf(`    minimumRiskLevelForApproval: Critical
    blackouts:
      - {from: "2026-01-01T00:00:00Z", to: %q, reason: "the year's end"}`, opens.Format(time.RFC3339)))
	await(t, c, staging, synced(t, c, "Close"), awaiting, complete)
	c.CLI("deployment", "approve", current(t, c).GetId(), "--approver", "grace")
	await(t, c, staging, c.Repo.Commits()[1], complete)

	commit := c.Repo.SetTitle(staging, "Behind the window")
	look(t, c, staging)
	await(t, c, staging, commit, pending)
	d := await(t, c, staging, commit, complete)
	if begun := d.GetStartedAt().AsTime(); begun.Before(opens) {
		t.Errorf("began at %s, before the window opened at %s", begun, opens)
	}
}
