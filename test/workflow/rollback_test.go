package workflow

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// startApart starts a cluster whose nodes have data files of their own.
func startApart(t *testing.T) *harness.Cluster {
	t.Helper()
	c := harness.Start(t, harness.Options{
		Environments: []string{production}, Unready: true,
		Adjust: func(n *harness.Node, settings harness.Section) {
			data := dataOf(n)
			if err := scaffold.WriteCities(data); err != nil {
				t.Fatal(err)
			}
			settings["Registry"] = harness.Section{"DataDirectory": data, "ProbeInterval": "1s"}
		},
	})
	first := await(t, c, production, c.Repo.Commits()[0], awaiting)
	c.CLI("deployment", "approve", first.GetId(), "--approver", "grace").Expect(t, 0)
	return c
}

func dataOf(n *harness.Node) string { return filepath.Join(n.Dir, "data") }

// copyCities gives a node a second data file.
func copyCities(t *testing.T, n *harness.Node, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dataOf(n), scaffold.CitiesFile))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dataOf(n), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A configuration whose verification fails on one node is rolled back by itself, once, and stays held over restarts;
// what breaks later is drift and rolls nothing back.
func TestFailedVerificationRollsBackOnce(t *testing.T) {
	t.Parallel()
	c := startApart(t)
	for _, n := range c.Nodes {
		copyCities(t, n, "extra.geojson")
	}
	c.Repo.WriteSources(production, "extra.geojson")
	commit := c.Repo.Commit("Read another file")
	failVerification(t, c, commit)

	d := await(t, c, production, commit, rolled)
	if d.GetReasonCode() != "verification_failed" || !strings.Contains(d.GetErrorMessage(), "layer cities") {
		t.Errorf("%s: %s, %q", d.GetId(), d.GetReasonCode(), d.GetErrorMessage())
	}
	once := []string{"deploy", "deploy", "rollback"}
	checkKinds(t, c, d, once)
	for _, n := range c.Nodes {
		harness.Eventually(t, harness.DeployWithin, func() error {
			begun := strings.Count(n.Log(), "Deployment failed, initiating automatic rollback")
			if ended := strings.Count(n.Log(), "Rollback completed successfully"); begun != 1 || ended != 1 {
				return fmt.Errorf("%s says in its log %d times that it rolls back and %d times that it did", n.ID, begun, ended)
			}
			return nil
		})
		copyCities(t, n, "extra.geojson") // what failed would succeed now
	}
	for _, n := range c.Nodes {
		n.Kill()
	}
	for _, n := range c.Nodes {
		n.Start()
	}
	c.AwaitReady()
	harness.Eventually(t, harness.StartWithin, func() error {
		if r := c.CLI("environment", "sync", production); r.Code != 1 || !strings.Contains(r.Err, "rolled back") && !strings.Contains(r.Err, "held") {
			return fmt.Errorf("exit code %d: %s%s", r.Code, r.Out, r.Err)
		}
		return nil
	})
	c.Repo.Write("README.md", "An unrelated change.\n")
	c.Repo.Commit("Change what is not deployed")
	c.CLI("environment", "sync", production).Expect(t, 1)
	checkKinds(t, c, d, once)
	driftAndBack(t, c, d, once)
	c.CheckJournals(production)
}

// failVerification approves a deployment and takes its file away from one node after that node has staged it and before
// verification. Another node, stopped for a moment, keeps the deployment in its phase Staging meanwhile.
func failVerification(t *testing.T, c *harness.Cluster, commit string) *pb.Deployment {
	t.Helper()
	d := await(t, c, production, commit, awaiting)
	others := c.Others(c.Leader())
	broken, stopped := others[0], others[1]
	resume := suspend(t, stopped)
	c.Leader()
	answer, err := c.Client().Deployments().ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{Id: d.GetId(), Approver: "grace"})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := broken.Conn()
	if err != nil {
		t.Fatal(err)
	}
	staged := false
	err = c.Client().WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{Id: d.GetId(), AfterIndex: answer.GetAppliedIndex() - 1}, func(m *pb.WatchDeploymentsResponse) error {
		if m.GetEvent().GetAction() != "deployment.applying" {
			return nil
		}
		// Staging is done once; who asks again gets the same answer.
		index := m.GetEvent().GetIndex()
		r, err := pb.NewNodeServiceClient(conn).Stage(t.Context(), &pb.StageRequest{
			Environment: production, DeploymentId: d.GetId(), Digest: d.GetDigest(), Operation: index, Index: index,
		})
		if staged = r.GetAccepted(); err == nil {
			err = errStaged
		}
		return err
	})
	if !errors.Is(err, errStaged) || !staged {
		t.Fatalf("%s did not stage: %v", broken.ID, err)
	}
	if err := os.Remove(filepath.Join(dataOf(broken), "extra.geojson")); err != nil {
		t.Fatal(err)
	}
	resume()
	return d
}

var errStaged = errors.New("staged")

// suspend stops a node's process without ending it, until the returned function is called.
func suspend(t *testing.T, n *harness.Node) (resume func()) {
	t.Helper()
	pid := n.PID()
	signal := func(s syscall.Signal) {
		if err := syscall.Kill(pid, s); err != nil {
			t.Error(err)
		}
	}
	signal(syscall.SIGSTOP)
	return func() { signal(syscall.SIGCONT) }
}

// checkKinds checks what an environment was made to serve, the oldest first.
func checkKinds(t *testing.T, c *harness.Cluster, d *pb.Deployment, want []string) {
	t.Helper()
	if _, kinds := activated(t, c, d); !slices.Equal(kinds, want) {
		t.Errorf("activations %v, not %v", kinds, want)
	}
}

// driftAndBack takes the file of what is served away from one node, and puts it back.
func driftAndBack(t *testing.T, c *harness.Cluster, d *pb.Deployment, kinds []string) {
	t.Helper()
	n := c.Nodes[0]
	path := filepath.Join(dataOf(n), scaffold.CitiesFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	awaitHealth(t, c, pb.Health_HEALTH_DEGRADED, "node "+n.ID+": layer cities")
	checkKinds(t, c, d, kinds)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	awaitHealth(t, c, pb.Health_HEALTH_HEALTHY, "")
	checkKinds(t, c, d, kinds)
}

func awaitHealth(t *testing.T, c *harness.Cluster, health pb.Health, says string) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		e, err := c.Environment(production)
		if err == nil && (e.GetHealth() != health || !strings.Contains(e.GetHealthMessage(), says)) {
			err = fmt.Errorf("health %v %q, not %v %q", e.GetHealth(), e.GetHealthMessage(), health, says)
		}
		return err
	})
}
