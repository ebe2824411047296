package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/scaffold"
)

// devOptions are the flags of `honua dev`.
type devOptions struct {
	nodes       int
	dir         string
	repo        string
	environment string
	baseHTTP    int
	basePort    int
	noRestart   bool
	postgis     bool
}

// devDatabase is what make dev-postgis runs.
const devDatabase = "Host=127.0.0.1;Port=15432;Database=honua;Username=honua;Password=honua;SSL Mode=Disable"

// restartAfter is how long a node that has died stays down.
const restartAfter = 3 * time.Second

// The ports of the first node; maxDevNodes is what a cluster can begin with.
const (
	defaultDevNodes = 3
	defaultBaseHTTP = 5000
	defaultBasePort = 7700
	maxDevNodes     = 9
)

func newDevCommand(s *session) *cobra.Command {
	var o devOptions
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole cluster on this machine, from nothing",
		Long: `Run a whole cluster on this machine, from nothing: a configuration repository with an example,
sample data, and nodes as separate processes. It prints the addresses, what to try next, and then a line
that begins with "ready". Ctrl-C stops it; started again on the same directory it continues.

In the directory are config/, an ordinary Git working tree that the cluster follows, data/ with the
sample data, a folder for each node, and nodes.json, which always says which processes run.`,
		Example: "  honua dev\n  honua dev --nodes 5 --dir /tmp/cluster --base-http 8000 --base-port 8700",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			layout, err := planDev(o, cmd.Flags().Changed)
			if err != nil {
				return err
			}
			if err := useDatabase(o); err != nil {
				return err
			}
			executable, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			return newDevCluster(s, layout, executable, restartPolicy{never: o.noRestart, after: restartAfter}).run(cmd.Context())
		},
	}
	flags := command.Flags()
	flags.IntVar(&o.nodes, "nodes", defaultDevNodes, "how many nodes, 1 to 9")
	flags.StringVar(&o.dir, "dir", ".honua-dev", "where everything is kept")
	flags.StringVar(&o.repo, "repo", "", "follow this Git working tree instead of making one")
	flags.StringVarP(&o.environment, "environment", "e", "development", "the environment to serve")
	flags.IntVar(&o.baseHTTP, "base-http", defaultBaseHTTP, "HTTP port of the first node; the others follow")
	flags.IntVar(&o.basePort, "base-port", defaultBasePort, "gRPC port of the first node, raft and gossip above it; the others follow in tens")
	flags.BoolVar(&o.postgis, "postgis", false, "make an example whose cities are in PostGIS: $DB_CONNECTION_STRING, or what 'make dev-postgis' runs")
	flags.BoolVar(&o.noRestart, "no-restart", false, "leave a node down that has died")
	return command
}

// useDatabase lets the nodes know of the development database, unless they know of another one.
func useDatabase(o devOptions) error {
	if _, set := os.LookupEnv(scaffold.ConnectionVariable); set || !o.postgis {
		return nil
	}
	return os.Setenv(scaffold.ConnectionVariable, devDatabase)
}

// planDev decides from the flags, and from what an earlier run left in the directory, what is to run. changed reports
// whether a flag was given.
func planDev(o devOptions, changed func(flag string) bool) (devLayout, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return devLayout{}, fmt.Errorf("--dir: %w", err)
	}
	layout := devLayout{dir: dir, environment: o.environment, repo: filepath.Join(dir, "config"), branch: newRepositoryBranch, ownRepo: true, postgis: o.postgis}
	earlier, found, err := readDevRecord(layout.recordFile())
	if err != nil {
		return devLayout{}, err
	}
	if found {
		if err := o.continueFrom(earlier, changed); err != nil {
			return devLayout{}, err
		}
		layout.scaffolded = earlier.Scaffolded
	}
	if o.repo != "" {
		if layout.repo, err = filepath.Abs(o.repo); err != nil {
			return devLayout{}, fmt.Errorf("--repo: %w", err)
		}
		layout.ownRepo, layout.branch = false, checkedOutBranch(layout.repo)
	}
	if layout.nodes, err = devNodes(dir, o); err != nil {
		return devLayout{}, err
	}
	layout.record = devRecord{Nodes: o.nodes, BaseHTTP: o.baseHTTP, BasePort: o.basePort, Scaffolded: layout.scaffolded}
	return layout, nil
}

// continueFrom takes over what the directory's cluster was made with, and refuses what cannot be changed.
func (o *devOptions) continueFrom(earlier devRecord, changed func(string) bool) error {
	if !changed("nodes") {
		o.nodes = earlier.Nodes
	}
	if !changed("base-http") {
		o.baseHTTP = earlier.BaseHTTP
	}
	if !changed("base-port") {
		o.basePort = earlier.BasePort
	}
	if o.nodes < earlier.Nodes {
		return fmt.Errorf("%s holds a cluster of %d nodes; with --nodes %d it may have no quorum. Leave the flag out, or name another --dir",
			o.dir, earlier.Nodes, o.nodes)
	}
	if o.basePort != earlier.BasePort {
		return fmt.Errorf("the nodes in %s know each other at --base-port %d. Leave the flag out, or name another --dir", o.dir, earlier.BasePort)
	}
	return nil
}

// checkedOutBranch is the branch that a working tree is on, or the usual one where that cannot be told.
func checkedOutBranch(repo string) string {
	head, err := os.ReadFile(filepath.Join(repo, ".git", "HEAD"))
	if err != nil {
		return newRepositoryBranch
	}
	if branch, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/"); ok {
		return branch
	}
	return newRepositoryBranch
}
