//go:build unix

package harness

import (
	"errors"
	"fmt"

	"github.com/honua-io/honua-gitops/reconciler/node"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Activations are all activations of an environment, the oldest first.
func (c *Cluster) Activations(environment string) ([]*pb.Activation, error) {
	var all []*pb.Activation
	request := &pb.ListActivationsRequest{Environment: environment, PageSize: 1000}
	for {
		page, err := c.Client().Environments().ListActivations(c.t.Context(), request)
		if err != nil {
			return nil, err
		}
		for _, a := range page.GetActivations() {
			all = append([]*pb.Activation{a}, all...)
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return all, nil
		}
	}
}

// Deployments are all deployments of an environment, the newest first.
func (c *Cluster) Deployments(environment string) ([]*pb.Deployment, error) {
	var all []*pb.Deployment
	request := &pb.ListDeploymentsRequest{Environment: environment, PageSize: 1000}
	for {
		page, err := c.Client().Deployments().ListDeployments(c.t.Context(), request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetDeployments()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return all, nil
		}
	}
}

// CheckJournal compares what a node activated with what the cluster decided, both the oldest first (I1, I2, I4).
func CheckJournal(journal []node.Entry, environment string, committed []*pb.Activation) error {
	decided := map[uint64]*pb.Activation{}
	var errs []error
	previous := uint64(0)
	for _, a := range committed {
		if a.GetIndex() <= previous {
			errs = append(errs, fmt.Errorf("I4: activation %d was decided after %d", a.GetIndex(), previous))
		}
		decided[a.GetIndex()], previous = a, a.GetIndex()
	}
	type key struct {
		incarnation string
		epoch       uint64
	}
	last, announced := map[key]uint64{}, map[key]uint64{}
	for i, entry := range journal {
		if entry.Environment != environment {
			continue
		}
		fail := func(promise, format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s: journal line %d: %s: %+v", promise, i+1, fmt.Sprintf(format, args...), entry))
		}
		a := decided[entry.ActivationIndex]
		if a == nil || a.GetDigest() != entry.Digest || a.GetCommit() != entry.Commit || a.GetDeploymentId() != entry.Deployment {
			fail("I1", "not what was decided (%v)", a)
		}
		k := key{entry.Incarnation, entry.Epoch}
		if entry.Phase == node.Intent {
			announced[k] = entry.ActivationIndex
		}
		if entry.Phase != node.Active {
			continue
		}
		switch {
		case announced[k] != entry.ActivationIndex:
			fail("I2", "activated without an intent")
		case entry.ActivationIndex == last[k]:
			fail("I2", "activated twice")
		case entry.ActivationIndex < last[k]:
			fail("I1", "activated after %d", last[k])
		}
		last[k] = entry.ActivationIndex
	}
	return errors.Join(errs...)
}

// CheckJournals checks the journals of all nodes against what the cluster decided (I1, I2, I4), and that each ends with
// the activation that is active.
func (c *Cluster) CheckJournals(environment string) {
	c.t.Helper()
	committed, err := c.Activations(environment)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, n := range c.Nodes {
		journal, err := n.Journal()
		if err != nil {
			c.t.Error(err)
			continue
		}
		if err := CheckJournal(journal, environment, committed); err != nil {
			c.t.Errorf("%s: %v", n.ID, err)
		}
		if len(journal) == 0 || len(committed) == 0 {
			c.t.Errorf("%s: %d journal lines, %d activations", n.ID, len(journal), len(committed))
			continue
		}
		if end, active := lastOf(journal, environment), committed[len(committed)-1]; end.ActivationIndex != active.GetIndex() || end.Phase == node.Intent {
			c.t.Errorf("%s: the journal ends with %+v, active is %d", n.ID, end, active.GetIndex())
		}
	}
}

func lastOf(journal []node.Entry, environment string) (last node.Entry) {
	for _, entry := range journal {
		if entry.Environment == environment {
			last = entry
		}
	}
	return last
}

// CheckServed checks that what was served of an environment had been activated (I6), and returns how many activations
// there were. The cluster has to remember all of them: see GitOps.HistoryLimit.
func (c *Cluster) CheckServed(environment string, digests []string) (activations int) {
	c.t.Helper()
	committed, err := c.Activations(environment)
	if err != nil {
		c.t.Fatal(err)
	}
	decided := map[string]bool{}
	for _, a := range committed {
		decided[a.GetDigest()] = true
	}
	for _, digest := range digests {
		if !decided[digest] {
			c.t.Errorf("I6: %s was served and never activated", digest)
		}
	}
	return len(committed)
}

// CheckDeployments waits until nothing is on its way, and checks that no content of a commit has two records (I12) and
// that every record is final.
func (c *Cluster) CheckDeployments(environment string) []*pb.Deployment {
	c.t.Helper()
	c.AwaitSettled(environment)
	deployments, err := c.Deployments(environment)
	if err != nil {
		c.t.Fatal(err)
	}
	seen := map[string]string{}
	for _, d := range deployments {
		key := d.GetCommit() + " " + d.GetDigest()
		if seen[key] != "" {
			c.t.Errorf("I12: %s and %s are both for %s", d.GetId(), seen[key], key)
		}
		seen[key] = d.GetId()
		switch d.GetState() {
		case pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED, pb.DeploymentState_DEPLOYMENT_STATE_FAILED,
			pb.DeploymentState_DEPLOYMENT_STATE_SUPERSEDED, pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK:
		default:
			c.t.Errorf("%s is %v", d.GetId(), d.GetState())
		}
	}
	return deployments
}
