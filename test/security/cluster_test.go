package security

import (
	"fmt"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// A cluster whose certificates were made with three commands does the main job:
// a commit is approved by somebody with a certificate and served by all nodes.
func TestSecureClusterDoesTheMainJob(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Secure: true, Environments: []string{"production", development}, Unready: true})
	c.AwaitServed(development, c.Repo.Commits()[0])
	approver := c.IssueClient("grace", "--role", "approver", "--environment", "production")
	awaitWaiting(t, c)
	id := waiting(t, c)
	c.As(c.IssueClient("val", "--role", "viewer"), "deployment", "approve", id).Expect(t, 4)
	c.As(approver, "deployment", "approve", id, "--approver", "somebody-else").Expect(t, 4)
	c.As(harness.Credentials{}, "deployment", "approve", id).Expect(t, 4)
	c.As(approver, "deployment", "approve", id, "--approver", "Grace").Expect(t, 0)
	c.AwaitServed("production", c.Repo.Commits()[0])
	commit := c.Repo.AddLayer(development, "capitals")
	c.AwaitServed(development, commit)
	c.Leader().Kill()
	c.AwaitServed(development, c.Repo.AddLayer(development, "villages"))
	var audit struct {
		Records []struct{ Actor, Action, Authentication string }
	}
	c.CLI("audit", "list", "-e", "production", "-o", "json").Decode(t, &audit)
	said := fmt.Sprint(audit.Records)
	if !strings.Contains(said, "{grace deployment.approve certificate}") {
		t.Errorf("the approval is not on record: %s", said)
	}
}

type deploymentList struct {
	Deployments []struct{ ID, State, Environment string }
}

func waiting(t *testing.T, c *harness.Cluster) string {
	t.Helper()
	var list deploymentList
	c.CLI("deployment", "list", "-e", "production", "-o", "json").Decode(t, &list)
	for _, d := range list.Deployments {
		if d.State == "AwaitingApproval" {
			return d.ID
		}
	}
	return ""
}

func awaitWaiting(t *testing.T, c *harness.Cluster) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		if waiting(t, c) == "" {
			return fmt.Errorf("nothing awaits approval")
		}
		return nil
	})
}

// A token is shown once, works on every node, and ends on every node with its revocation.
func TestTokensOnEveryNode(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{Secure: true, Adjust: func(n *harness.Node, settings harness.Section) {
		if n.ID == "node3" { // a node that lets in somebody else is named, see below
			settings["Auth"] = harness.Section{"Identities": harness.Section{"somebody": harness.Section{"Roles": []string{"viewer"}}}}
		}
	}})
	made := struct{ ID, Identity, Token string }{}
	c.CLI("token", "create", "--identity", "ci", "--role", "deployer", "--environment", development, "--ttl", "1h", "-o", "json").Decode(t, &made)
	if made.Identity != "ci" || !strings.HasPrefix(made.Token, "honua_") {
		t.Fatalf("made %+v", made)
	}
	bearer := harness.Credentials{Token: made.Token}
	for _, n := range c.Nodes {
		c.As(bearer, "--address", n.GRPC, "environment", "pause", development, "--reason", "a test").Expect(t, 0)
		c.As(bearer, "--address", n.GRPC, "environment", "resume", development).Expect(t, 0)
		c.As(bearer, "--address", n.GRPC, "cluster", "transfer-leader").Expect(t, 4)
		c.As(bearer, "--address", n.GRPC, "token", "list").Expect(t, 4)
	}
	var list struct {
		Tokens []struct{ ID, Identity string }
	}
	listed := c.CLI("token", "list", "-o", "json")
	listed.Decode(t, &list)
	if len(list.Tokens) != 1 || list.Tokens[0].ID != made.ID || strings.Contains(listed.Out, made.Token) {
		t.Errorf("listed %s", listed.Out)
	}
	c.CLI("token", "revoke", made.ID, "--reason", "a test").Expect(t, 0)
	for _, n := range c.Nodes {
		harness.Eventually(t, revocationBound, func() error {
			if r := c.As(bearer, "--address", n.GRPC, "environment", "list", "--stale"); r.Code != 4 {
				return fmt.Errorf("%s still lets it in: %d %s", n.ID, r.Code, r.Err)
			}
			return nil
		})
	}
	for _, n := range c.Nodes {
		if strings.Contains(n.Log(), made.Token) {
			t.Errorf("%s logs the token", n.ID)
		}
	}
	for _, n := range c.Nodes {
		var status struct{ Servers []struct{ Notices []string } }
		c.As(c.Admin(), "--address", n.GRPC, "cluster", "status", "-o", "json").Decode(t, &status)
		if said := fmt.Sprint(status); !strings.Contains(said, "its Auth.Identities is not that of") || strings.Contains(said, "Auth.Oidc") {
			t.Errorf("%s does not say what differs: %s", n.ID, said)
		}
	}
	rotateGossipKey(t, c)
}

type gossipKeys struct {
	Fingerprint, Key string
	Nodes            []struct {
		Node, Primary string
		Keys          []string
	}
}

// The gossip key is changed while the cluster runs; a node that restarts comes back with the new one, although its
// configuration names the old one.
func rotateGossipKey(t *testing.T, c *harness.Cluster) {
	t.Helper()
	var before, installed, after gossipKeys
	c.CLI("cluster", "gossip-key", "list", "-o", "json").Decode(t, &before)
	old := before.Nodes[0].Primary
	c.CLI("cluster", "gossip-key", "use", "0123456789abcdef").Expect(t, 1)
	c.CLI("cluster", "gossip-key", "install", "-o", "json").Decode(t, &installed)
	if len(before.Nodes) != 3 || len(installed.Nodes) != 3 || installed.Key == "" {
		t.Fatalf("before %+v, installed %+v", before, installed)
	}
	c.CLI("cluster", "gossip-key", "remove", old).Expect(t, 1)
	c.CLI("cluster", "gossip-key", "use", installed.Fingerprint).Expect(t, 0)
	c.CLI("cluster", "gossip-key", "remove", old).Expect(t, 0)
	restarted := c.Others(c.Leader())[0]
	restarted.Stop()
	restarted.Start()
	restarted.AwaitReady()
	harness.Eventually(t, harness.StartWithin, func() error {
		after = gossipKeys{}
		c.CLI("cluster", "gossip-key", "list", "-o", "json").Decode(t, &after)
		for _, n := range after.Nodes {
			if n.Primary != installed.Fingerprint || len(n.Keys) != 1 {
				return fmt.Errorf("%+v", n)
			}
		}
		return nil
	})
	for _, n := range c.Nodes {
		if strings.Contains(n.Log(), installed.Key) {
			t.Errorf("%s logs the key", n.ID)
		}
	}
	c.AwaitServed(development, c.Repo.AddLayer(development, "rotated"))
}
