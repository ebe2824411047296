package workflow

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

const (
	awaiting = pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL
	pending  = pb.DeploymentState_DEPLOYMENT_STATE_PENDING
	complete = pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED
	failed   = pb.DeploymentState_DEPLOYMENT_STATE_FAILED
	rolled   = pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK
)

// find returns the one deployment of a commit (I12).
func find(c *harness.Cluster, environment, commit string) (*pb.Deployment, error) {
	all, err := c.Deployments(environment)
	if err != nil {
		return nil, err
	}
	var found []*pb.Deployment
	for _, d := range all {
		if d.GetCommit() == commit {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%s has %d deployments of commit %.8s", environment, len(found), commit)
	}
	return found[0], nil
}

// await waits until the deployment of a commit is in one of the states.
func await(t *testing.T, c *harness.Cluster, environment, commit string, states ...pb.DeploymentState) *pb.Deployment {
	t.Helper()
	var d *pb.Deployment
	harness.Eventually(t, harness.DeployWithin, func() (err error) {
		if d, err = find(c, environment, commit); err != nil {
			return err
		}
		if !slices.Contains(states, d.GetState()) {
			return fmt.Errorf("%s is %v (%s), not %v", d.GetId(), d.GetState(), d.GetErrorMessage(), states)
		}
		return nil
	})
	return d
}

// look asks the cluster for a new commit now, without waiting for what comes of it.
func look(t *testing.T, c *harness.Cluster, environment string) {
	t.Helper()
	harness.Eventually(t, harness.StartWithin, func() error {
		if r := c.CLI("environment", "sync", environment, "--async"); r.Code != 0 {
			return errors.New(r.Err)
		}
		return nil
	})
}

// shown is what scripts read of `honua deployment show -o json`.
type shown struct {
	State           string   `json:"state"`
	ErrorMessage    string   `json:"errorMessage"`
	ReasonCode      string   `json:"reasonCode"`
	ApprovalReasons []string `json:"approvalReasons"`
	PreviousCommit  string   `json:"previousCommit"`
	RewrittenAway   []string `json:"rewrittenAway"`
	RolledBackTo    string   `json:"rolledBackTo"`
	Risk            string   `json:"risk"`
	Approvals       []struct {
		Approver string `json:"approver"`
	} `json:"approvals"`
}

// record is what scripts read of `honua audit list -o json`.
type record struct {
	Index  uint64 `json:"index"`
	Actor  string `json:"actor"`
	Source string `json:"source"`
	Action string `json:"action"`
	Object string `json:"object"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// audit are the records about one object as one node knows them, the oldest first.
func audit(t *testing.T, n *harness.Node, object string) (about []record) {
	t.Helper()
	var list struct {
		Records []record `json:"records"`
	}
	n.CLI("audit", "list", "--limit", "0", "--ascending", "--stale", "-o", "json").Expect(t, 0).Decode(t, &list)
	for _, r := range list.Records {
		if r.Object == object {
			about = append(about, r)
		}
	}
	return about
}

// everywhere checks that every node shows a decision in its answers, its state file, its approval file and its audit.
func everywhere(t *testing.T, c *harness.Cluster, d *pb.Deployment, state, approval, action string) {
	t.Helper()
	for _, n := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error {
			var s shown
			n.CLI("deployment", "show", d.GetId(), "--stale", "-o", "json").Expect(t, 0).Decode(t, &s)
			if s.State != state {
				return fmt.Errorf("%s says %s, not %s", n.ID, s.State, state)
			}
			file, err := n.State(d.GetEnvironment())
			if err != nil {
				return err
			}
			if cur := file.CurrentDeployment; cur == nil || cur.ID != d.GetId() || cur.State != state {
				return fmt.Errorf("%s: the state file says %+v, not %s", n.ID, cur, state)
			}
			view, err := n.Approval(d.GetId())
			if err != nil || view.State != approval {
				return fmt.Errorf("%s: the approval file says %+v, not %s (%w)", n.ID, view, approval, err)
			}
			if !slices.ContainsFunc(audit(t, n, d.GetId()), func(r record) bool { return r.Action == action }) {
				return fmt.Errorf("%s: no %s in the audit", n.ID, action)
			}
			return nil
		})
	}
}

// activated counts the activations of a deployment's content, and names the kinds of all of them.
func activated(t *testing.T, c *harness.Cluster, d *pb.Deployment) (times int, kinds []string) {
	t.Helper()
	all, err := c.Activations(d.GetEnvironment())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		kinds = append(kinds, a.GetKind())
		if a.GetDeploymentId() == d.GetId() {
			times++
		}
	}
	return times, kinds
}
