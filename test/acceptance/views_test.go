package acceptance

import (
	"errors"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// deployment is what scripts read of `honua deployment list -o json`.
type deployment struct {
	ID              string   `json:"id"`
	Environment     string   `json:"environment"`
	Commit          string   `json:"commit"`
	Author          string   `json:"author"`
	Message         string   `json:"message"`
	State           string   `json:"state"`
	Health          string   `json:"health"`
	SyncStatus      string   `json:"syncStatus"`
	InitiatedBy     string   `json:"initiatedBy"`
	StartedAt       string   `json:"startedAt"`
	CompletedAt     string   `json:"completedAt"`
	ErrorMessage    string   `json:"errorMessage"`
	ReasonCode      string   `json:"reasonCode"`
	Problems        []string `json:"problems"`
	ApprovalReasons []string `json:"approvalReasons"`
	Attempts        int      `json:"attempts"`
	ActivationIndex uint64   `json:"activationIndex"`
	StateHistory    []struct {
		From      string `json:"from"`
		To        string `json:"to"`
		Timestamp string `json:"timestamp"`
	} `json:"stateHistory"`
}

// deployments are an environment's, the newest first, as the command line shows them.
func deployments(t *testing.T, c *harness.Cluster, environment string) []deployment {
	t.Helper()
	var list struct {
		Deployments []deployment `json:"deployments"`
	}
	c.CLI("deployment", "list", "-e", environment, "--limit", "0", "-o", "json").Expect(t, 0).Decode(t, &list)
	return list.Deployments
}

// find returns the deployments of one commit; it is for waiting, while the cluster may not know its environments yet.
func find(t *testing.T, c *harness.Cluster, environment, commit string) ([]deployment, error) {
	t.Helper()
	var list struct {
		Deployments []deployment `json:"deployments"`
	}
	r := c.CLI("deployment", "list", "-e", environment, "--limit", "0", "-o", "json")
	if r.Code != 0 {
		return nil, errors.New(r.Err)
	}
	r.Decode(t, &list)
	return of(list.Deployments, commit), nil
}

// of returns the deployments of one commit.
func of(list []deployment, commit string) (found []deployment) {
	for _, d := range list {
		if d.Commit == commit {
			found = append(found, d)
		}
	}
	return found
}

// one returns the only deployment of a commit.
func one(t *testing.T, c *harness.Cluster, environment, commit string) deployment {
	t.Helper()
	found := of(deployments(t, c, environment), commit)
	if len(found) != 1 {
		t.Fatalf("%d deployments of %s: %+v", len(found), commit, found)
	}
	return found[0]
}
