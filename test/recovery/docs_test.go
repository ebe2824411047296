//go:build unix

package recovery

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/honua-io/honua-gitops/test/harness"
	"github.com/honua-io/honua-gitops/test/pages"
)

// machine is what somebody types into who is logged in where a node is: the program is there, and the node's files stand
// for those that the documentation names. What stands for other programs is put into its folder.
func machine(t *testing.T, c *harness.Cluster, n *harness.Node) (shell *pages.Shell, programs string) {
	t.Helper()
	programs = harness.Programs(t)
	return &pages.Shell{
		Dir:    c.Dir,
		Env:    []string{"PATH=" + programs + ":" + os.Getenv("PATH"), "HONUA_ADDRESS=" + strings.Join(c.Addresses(), ",")},
		Places: []string{"/etc/honua/appsettings.json", n.SettingsFile(), "/var/honua/cluster", filepath.Join(n.Dir, "cluster")},
	}, programs
}

// typeAll types all commands of a mark.
func typeAll(t *testing.T, shell *pages.Shell, mark string) (out string) {
	t.Helper()
	for _, block := range pages.Marked(t, mark) {
		for _, command := range block.Commands() {
			said, err := shell.Run(t, command)
			if err != nil {
				t.Fatalf("%s: %v", block.Place(), err)
			}
			out += said
		}
	}
	return out
}

// poison puts an entry that no node can apply at the end of a stopped node's log, and returns its index.
func poison(t *testing.T, n *harness.Node) uint64 {
	t.Helper()
	store, err := raftboltdb.NewBoltStore(filepath.Join(n.Dir, "cluster", "raft.db"))
	if err != nil {
		t.Fatal(err)
	}
	var before raft.Log
	last, err := store.LastIndex()
	if err == nil {
		err = store.GetLog(last, &before)
	}
	data := []byte("no command")
	sum := sha256.Sum256(data)
	bad := raft.Log{Index: last + 1, Term: before.Term, Type: raft.LogCommand, Data: data, Extensions: sum[:]}
	if err = errors.Join(err, store.StoreLog(&bad), store.Close()); err != nil {
		t.Fatal(err)
	}
	return bad.Index
}

var halting = regexp.MustCompile(`cannot be applied: .*\(the entry is (\d+:[0-9a-f]{64})\)`)

// An entry at which every node halts is passed over by all of them, as the documentation has it, and the cluster goes on.
func TestSkipAnEntryThatHaltsEveryNode(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	served := c.AwaitServed("development", c.Repo.Commits()[0])
	c.AwaitEqualStates()
	for _, n := range c.Nodes {
		n.Kill()
	}
	at := map[uint64]bool{}
	for _, n := range c.Nodes {
		at[poison(t, n)] = true
	}
	if len(at) != 1 {
		t.Fatalf("the logs end at different indexes: %v", at)
	}
	for _, n := range c.Nodes {
		n.Start()
	}
	entry := awaitHalted(t, c)
	for _, n := range c.Nodes {
		n.Kill()
		shell, _ := machine(t, c, n)
		shell.Env, shell.Input = append(shell.Env, "ENTRY="+entry), "yes\n"
		if out := typeAll(t, shell, "skip"); !strings.Contains(out, n.ID+" passes over entry "+entry) {
			t.Errorf("%s says %q", n.ID, out)
		}
	}
	for _, n := range c.Nodes {
		n.Start()
	}
	c.AwaitReady()
	if err := c.Nodes[0].Serves("development", served.GetActiveDigest()); err != nil {
		t.Error(err)
	}
	mainJob(t, c, "rivers")
	c.AwaitEqualStates()
}

// awaitHalted waits until so many nodes have halted that the others have no quorum, and returns the entry that they name.
func awaitHalted(t *testing.T, c *harness.Cluster) (entry string) {
	t.Helper()
	harness.Eventually(t, harness.StartWithin, func() error {
		halted := 0
		for _, n := range c.Nodes {
			if m := halting.FindStringSubmatch(n.Log()); m != nil && !n.Running() {
				entry = m[1]
				halted++
			}
		}
		if halted < 2 {
			return fmt.Errorf("%d nodes have halted", halted)
		}
		return nil
	})
	return entry
}

// standIns are for the programs of a machine with systemd: they have the test stop and start a node.
func standIns(t *testing.T, n *harness.Node, programs, requests string) (do func(*harness.Node)) {
	t.Helper()
	verb := filepath.Join(programs, "verb")
	for name, script := range map[string]string{
		"sudo":       `exec "$@"`,
		"systemctl":  fmt.Sprintf("[ \"$2\" = honua ] || exit 5\necho \"$1\" > '%s'\nHONUA_NODE=%s\n%s", verb, n.ID, request(requests)),
		"journalctl": fmt.Sprintf("tail -n \"$4\" '%s'", n.LogFile()),
	} {
		write(t, filepath.Join(programs, name), "#!/bin/sh\n"+script+"\n", 0o755)
	}
	return func(n *harness.Node) {
		switch asked := strings.TrimSpace(read(t, verb)); asked {
		case "stop":
			n.Stop()
		case "start":
			n.Start()
		default:
			t.Errorf("systemctl %s of %s", asked, n.ID)
		}
	}
}

// repair has a node whose disk is damaged come back with an empty one, and what is known of one that does not run put into
// a bundle, as the documentation has it.
func repair(t *testing.T, c *harness.Cluster, n *harness.Node) {
	t.Helper()
	shell, programs := machine(t, c, n)
	requests := t.TempDir()
	do := standIns(t, n, programs, requests)
	onRequest(t, c, requests, do, func() string { return typeAll(t, shell, "repair") })
	n.AwaitReady()
	if _, err := os.Stat(filepath.Join(n.Dir, "cluster.damaged")); err != nil {
		t.Error(err)
	}
	c.AwaitEqualStates()
	n.Stop()
	typeAll(t, shell, "stopped")
	if made, err := filepath.Glob(filepath.Join(c.Dir, "honua-debug-*.tar.gz")); err != nil || len(made) != 1 {
		t.Errorf("bundles: %v, %v", made, err)
	}
}
