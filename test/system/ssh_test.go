//go:build system

package system

import (
	"fmt"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

const development = "development"

// A repository behind OpenSSH is followed with a key; when the server shows another host key than the known one, it is
// not believed, and what is served stays.
func TestRepositoryBehindOpenSSH(t *testing.T) {
	t.Parallel()
	server := newSSHD(t)
	c := harness.Start(t, harness.Options{
		RepositoryOf: server.url,
		Adjust: func(_ *harness.Node, settings harness.Section) {
			gitops := settings["GitOps"].(harness.Section)
			gitops["Credentials"] = harness.Section{"SshKeyFile": server.path("client"), "SshKnownHostsFile": server.path("known_hosts")}
		},
	})
	served := c.AwaitServed(development, c.Repo.AddLayer(development, "capitals"))

	server.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", server.path("impostor"))
	server.knowHost(server.path("impostor.pub"))
	observer := harness.Observe(t.Context(), development, c.Nodes...)
	awaitGitOps(t, c, "Degraded")
	commit := c.Repo.AddLayer(development, "rivers")
	e, err := c.Environment(development)
	if err != nil || e.GetActiveDigest() != served.GetActiveDigest() || e.GetPollError() == "" {
		t.Errorf("%v, %v", err, e)
	}
	if digests, _, failures := observer.Stop(); len(failures) > 0 || len(digests) != 1 {
		t.Errorf("served were %v; failures %v", digests, failures)
	}
	server.knowHost(server.path("host.pub"))
	c.AwaitServed(development, commit)

	server.stop()
	awaitGitOps(t, c, "Degraded")
	commit = c.Repo.SetTitle(development, "Cities while nobody could ask")
	server.start()
	c.AwaitServed(development, commit)
	c.CheckJournals(development)
}

func awaitGitOps(t *testing.T, c *harness.Cluster, status string) {
	t.Helper()
	harness.Eventually(t, harness.DeployWithin, func() error {
		for _, n := range c.Nodes {
			found, err := n.GitOpsHealth(t.Context())
			if err == nil && found != status {
				err = fmt.Errorf("/health/gitops of %s says %s, not %s", n.ID, found, status)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
