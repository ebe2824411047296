package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// tries is how often a leader is killed at a step until the kill hits exactly between that step and the next.
const tries = 6

// way is one way through the workflow: what an operator does when a deployment awaits approval, and where it ends.
type way struct {
	name, environment string
	decide            func(c *harness.Cluster, id string) harness.Result
	ends              pb.DeploymentState
	reason            string
	activations       int
}

func ways() []way {
	return []way{
		{"approve", production, func(c *harness.Cluster, id string) harness.Result {
			return c.CLI("deployment", "approve", id, "--approver", "grace", "--async")
		}, complete, "", 1},
		{"reject", production, func(c *harness.Cluster, id string) harness.Result {
			return c.CLI("deployment", "reject", id, "--approver", "grace", "--reason", "no")
		}, failed, "rejected", 0},
		{"expire", impatient, nil, failed, "approval_timeout", 0},
	}
}

// The leader is killed between every two steps of a deployment, and the end is the same: nothing is approved twice,
// nothing is lost, nothing is activated without its approvals (I3, I5, I12). The steps are those on record of a
// deployment that nobody disturbed, so that no new one is forgotten.
func TestLeaderKilledBetweenAllSteps(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := startGated(t)
			first := await(t, c, production, c.Repo.Commits()[0], awaiting)
			c.CLI("deployment", "approve", first.GetId(), "--approver", "grace").Expect(t, 0)
			await(t, c, impatient, c.Repo.Commits()[0], failed)
			reference := w.run(t, c, 0)
			steps := group(reference)
			t.Logf("%d steps: %v", len(steps), actions(reference))
			for k := 1; k <= len(steps); k++ {
				w.killAt(t, c, reference, k)
			}
			c.AwaitEqualStates()
			c.CLI("audit", "verify").Expect(t, 0)
		})
	}
}

// killAt kills the leader after step k until a kill has hit between it and the next.
func (w way) killAt(t *testing.T, c *harness.Cluster, reference []record, k int) {
	t.Helper()
	for range tries {
		leader := c.Leader()
		got := w.run(t, c, k)
		if !slices.Equal(actions(got), actions(reference)) {
			t.Fatalf("killed after step %d: %v, undisturbed %v", k, actions(got), actions(reference))
		}
		restart(t, c)
		if hit(group(got), k, leader.ID) {
			return
		}
	}
	t.Errorf("%d kills and none between steps %d and %d", tries, k, k+1)
}

// run takes one commit through the workflow and returns what is on record of its deployment. After step k, if that is
// not 0, the leader is killed.
func (w way) run(t *testing.T, c *harness.Cluster, k int) []record {
	t.Helper()
	leader := c.Leader()
	commit := c.Repo.SetTitle(w.environment, fmt.Sprintf("Commit %d", len(c.Repo.Commits())))
	killed := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), harness.DeployWithin)
	defer cancel()
	watching := make(chan struct{})
	go func() { killed <- killAfter(ctx, w.environment, commit, leader, k, watching) }()
	select {
	case <-watching:
	case err := <-killed:
		if err != nil {
			t.Fatal(err)
		}
		killed <- nil // it was over before the watch was seen to begin
	}
	look(t, c, w.environment)
	d := await(t, c, w.environment, commit, awaiting, w.ends)
	if w.decide != nil {
		harness.Eventually(t, harness.DeployWithin, func() error {
			// An unknown outcome is asked again: an approver counts once, and what is decided is refused.
			r := w.decide(c, d.GetId())
			if again, err := find(c, w.environment, commit); r.Code == 0 || err == nil && again.GetState() != awaiting {
				return nil
			}
			return errors.New(r.Err)
		})
	}
	if d = await(t, c, w.environment, commit, w.ends); d.GetReasonCode() != w.reason {
		t.Errorf("%s: reason %q, not %q", d.GetId(), d.GetReasonCode(), w.reason)
	}
	if err := <-killed; err != nil {
		t.Fatalf("step %d: %v", k, err)
	}
	if times, _ := activated(t, c, d); times != w.activations {
		t.Errorf("%s was activated %d times, not %d", d.GetId(), times, w.activations)
	}
	return audit(t, c.Leader(), d.GetId())
}

// killAfter follows a commit's deployment on the leader itself, and kills the leader as soon as step k is on record.
func killAfter(ctx context.Context, environment, commit string, leader *harness.Node, k int, watching chan<- struct{}) error {
	if k == 0 {
		close(watching)
		return nil
	}
	conn, err := leader.Conn()
	if err != nil {
		return err
	}
	stream, err := pb.NewDeploymentServiceClient(conn).WatchDeployments(ctx, &pb.WatchDeploymentsRequest{Environment: environment})
	if err != nil {
		return err
	}
	var seen []uint64
	for begun := false; ; {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		if !begun {
			begun = true
			close(watching)
		}
		index := m.GetEvent().GetIndex()
		if m.GetEvent() == nil || m.GetDeployment().GetCommit() != commit || slices.Contains(seen, index) {
			continue
		}
		if seen = append(seen, index); len(seen) == k {
			leader.Kill()
			return nil
		}
	}
}

// restart starts what was killed, and waits until all nodes take part again.
func restart(t *testing.T, c *harness.Cluster) {
	t.Helper()
	for _, n := range c.Nodes {
		if !n.Running() {
			n.Start()
		}
	}
	harness.Eventually(t, harness.StartWithin, func() error {
		leader, err := c.FindLeader(t.Context())
		if err != nil {
			return err
		}
		status, err := leader.Status(t.Context())
		for _, server := range status.GetServers() {
			if !server.GetHealthy() {
				return fmt.Errorf("%s: %v", server.GetId(), server.GetNotices())
			}
		}
		return err
	})
}

// group are the records by step: what one log entry did is one step.
func group(records []record) (steps [][]record) {
	for _, r := range records {
		if n := len(steps); n > 0 && steps[n-1][0].Index == r.Index {
			steps[n-1] = append(steps[n-1], r)
			continue
		}
		steps = append(steps, []record{r})
	}
	return steps
}

// actions are what the records say that happened, without who, when and where.
func actions(records []record) (list []string) {
	for _, r := range records {
		list = append(list, r.Action)
	}
	return list
}

// hit reports whether a leader that was killed took the steps up to k, and others took the rest. What a caller asked
// for names the caller and not the leader.
func hit(steps [][]record, k int, leader string) bool {
	for i, step := range steps {
		if by := step[0].Source; step[0].Actor == "GitWatcher" && (by == leader) != (i < k) {
			return false
		}
	}
	return true
}
