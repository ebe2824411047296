//go:build unix

package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	"github.com/honua-io/honua-gitops/internal/scaffold"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Waits that are long enough for a machine that has other things to do as well.
const (
	// StartWithin is how long a cluster may take from its first process to serving.
	StartWithin = time.Minute
	// DeployWithin is how long a commit may take to be served.
	DeployWithin = 45 * time.Second
)

// Section is a part of appsettings.json.
type Section = map[string]any

// Options say what cluster to start.
type Options struct {
	// Nodes is how many; 0 means 3, at most 9.
	Nodes int
	// Environments are watched by every node; none means development.
	Environments []string
	// Policies are GitOps.DeploymentPolicies, by environment.
	Policies map[string]Section
	// PollSeconds is the poll interval; 0 means 1.
	PollSeconds int
	// RepositoryOf returns the address by which the nodes reach the repository in a folder; nil means file://.
	RepositoryOf func(dir string) string
	// Idle: the cluster is prepared and not started.
	Idle bool
	// Unready: Start returns without waiting until every environment is served.
	Unready bool
	// Secure: TLS on every port, an encrypted gossip and credentials, all made with the command line.
	Secure bool
	// Adjust changes a node's settings before they are written.
	Adjust func(node *Node, settings Section)
	// Host is where the node of an index is, on the usual ports; nil puts all of them on loopback, on ports of their own.
	Host func(i int) string
	// Program is run instead of the one that Main built.
	Program string
	// Launch changes the command that starts a node.
	Launch func(node *Node, command *exec.Cmd) *exec.Cmd
}

// Cluster is a group of nodes on this machine, each a process, that follow one repository.
type Cluster struct {
	Dir   string
	Nodes []*Node
	Repo  *Repo
	// Environments are those that the nodes watch.
	Environments []string

	t       testing.TB
	options Options
	once    sync.Once
	client  *client.Client
	// admin is who the harness itself is, where credentials are asked for.
	admin     Credentials
	gossipKey string
}

// Start makes a repository and starts a cluster that follows it. It returns when every node serves every
// environment. When the test ends, so do the nodes; if it has failed, the ends of their logs are shown.
func Start(t testing.TB, options Options) *Cluster {
	t.Helper()
	c := prepare(t, options)
	t.Cleanup(c.end)
	if options.Idle {
		return c
	}
	for _, node := range c.Nodes {
		node.Start()
	}
	if !options.Unready {
		c.AwaitReady()
	}
	return c
}

func prepare(t testing.TB, options Options) *Cluster {
	t.Helper()
	if options.Nodes == 0 {
		options.Nodes = 3
	}
	if options.Nodes > maxNodes {
		t.Fatalf("%d nodes: at most %d", options.Nodes, maxNodes)
	}
	if len(options.Environments) == 0 {
		options.Environments = []string{"development"}
	}
	if options.PollSeconds == 0 {
		options.PollSeconds = 1
	}
	c := &Cluster{Dir: t.TempDir(), Environments: options.Environments, t: t, options: options}
	c.Repo = NewRepo(t, filepath.Join(c.Dir, "config"), options.Environments...)
	if err := scaffold.WriteCities(c.DataDirectory()); err != nil {
		t.Fatal(err)
	}
	c.place()
	if options.Secure {
		c.secure()
	}
	for _, node := range c.Nodes {
		node.tls = c.TLS(c.admin)
		node.writeSettings(c.settings(node))
	}
	return c
}

// place gives the nodes their addresses.
func (c *Cluster) place() {
	c.t.Helper()
	program := c.options.Program
	if program == "" {
		program = Binary(c.t)
	}
	var ports Ports
	if c.options.Host == nil {
		ports = TakePorts(c.t)
	}
	for i := range c.options.Nodes {
		id, base := "node"+strconv.Itoa(i+1), ports.Base()+portsPerNode*i
		n := &Node{
			ID: id, Dir: filepath.Join(c.Dir, id), HTTP: loopback(ports.HTTP() + i),
			GRPC: loopback(base), Raft: loopback(base + 1), Gossip: loopback(base + 2),
			t: c.t, program: program, launch: c.options.Launch,
		}
		if c.options.Host != nil {
			host := c.options.Host(i)
			n.HTTP, n.GRPC = net.JoinHostPort(host, "5000"), net.JoinHostPort(host, "7700")
			n.Raft, n.Gossip = net.JoinHostPort(host, "7701"), net.JoinHostPort(host, "7702")
		}
		c.Nodes = append(c.Nodes, n)
	}
}

// DataDirectory is where the nodes' GeoJSON files are.
func (c *Cluster) DataDirectory() string { return filepath.Join(c.Dir, "data") }

func (c *Cluster) settings(node *Node) Section {
	join := []string{}
	for _, other := range c.Nodes {
		if other != node {
			join = append(join, other.Gossip)
		}
	}
	repository := (&url.URL{Scheme: "file", Path: c.Repo.Dir}).String()
	if c.options.RepositoryOf != nil {
		repository = c.options.RepositoryOf(c.Repo.Dir)
	}
	environments := Section{}
	for _, name := range c.Environments {
		environments[name] = Section{}
	}
	settings := Section{
		"GitOps": Section{
			"RepositoryUrl": repository, "StateDirectory": filepath.Join(node.Dir, "state"),
			"Watcher":            Section{"Branch": "main", "PollIntervalSeconds": c.options.PollSeconds},
			"Environments":       environments,
			"DeploymentPolicies": c.options.Policies,
		},
		"Registry": Section{"DataDirectory": c.DataDirectory()},
		"Cluster": Section{
			"NodeId": node.ID, "DataDirectory": filepath.Join(node.Dir, "cluster"), "Name": ClusterName,
			"RaftAddress": node.Raft, "GossipAddress": node.Gossip, "BootstrapExpect": len(c.Nodes), "Join": join,
		},
		"Api":     Section{"GrpcAddress": node.GRPC, "HttpAddress": node.HTTP},
		"Serilog": Section{"MinimumLevel": Section{"Default": "Debug"}},
	}
	if c.options.Policies == nil {
		delete(settings["GitOps"].(Section), "DeploymentPolicies")
	}
	if c.options.Secure {
		c.addSecurity(node, settings)
	}
	if c.options.Adjust != nil {
		c.options.Adjust(node, settings)
	}
	return settings
}

// end runs when the test does.
func (c *Cluster) end() {
	for _, node := range c.Nodes {
		node.end()
	}
	if c.client != nil {
		c.client.Close()
	}
	if c.t.Failed() {
		for _, node := range c.Nodes {
			c.t.Logf("--- the end of %s's log\n%s", node.ID, node.logTail())
		}
	}
}

// Node returns a node by its id.
func (c *Cluster) Node(id string) *Node {
	c.t.Helper()
	for _, node := range c.Nodes {
		if node.ID == id {
			return node
		}
	}
	c.t.Fatalf("no node %q", id)
	return nil
}

// Others are the nodes that are not among the given ones.
func (c *Cluster) Others(but ...*Node) []*Node {
	var others []*Node
	for _, node := range c.Nodes {
		found := false
		for _, b := range but {
			found = found || b == node
		}
		if !found {
			others = append(others, node)
		}
	}
	return others
}

// Addresses are the gRPC addresses of all nodes.
func (c *Cluster) Addresses() []string {
	var list []string
	for _, node := range c.Nodes {
		list = append(list, node.GRPC)
	}
	return list
}

// Client calls the cluster, whichever node answers.
func (c *Cluster) Client() *client.Client {
	c.t.Helper()
	c.once.Do(func() {
		made, err := client.New(client.Config{Addresses: c.Addresses(), TLS: c.TLS(c.admin)})
		if err != nil {
			c.t.Fatal(err)
		}
		c.client = made
	})
	return c.client
}

// FindLeader returns the node that leads, as a majority of the nodes that run sees it.
func (c *Cluster) FindLeader(ctx context.Context) (*Node, error) {
	votes := map[string]int{}
	for _, node := range c.Nodes {
		if !node.Running() {
			continue
		}
		if status, err := node.Status(ctx); err == nil && status.GetHasQuorum() {
			votes[status.GetLeaderId()]++
		}
	}
	for _, node := range c.Nodes {
		if node.Running() && votes[node.ID] > len(c.Nodes)/2 {
			return node, nil
		}
	}
	return nil, fmt.Errorf("no leader: %v", votes)
}

// Leader waits for a leader and returns it.
func (c *Cluster) Leader() *Node {
	c.t.Helper()
	var leader *Node
	Eventually(c.t, StartWithin, func() (err error) {
		leader, err = c.FindLeader(c.t.Context())
		return err
	})
	return leader
}

// AwaitReady waits until every node serves what is active.
func (c *Cluster) AwaitReady() {
	c.t.Helper()
	for _, node := range c.Nodes {
		node.AwaitReady()
	}
}

// Environment returns what the cluster says of an environment.
func (c *Cluster) Environment(name string) (*pb.Environment, error) {
	answer, err := c.Client().Environments().GetEnvironment(c.t.Context(), &pb.GetEnvironmentRequest{Name: name})
	return answer.GetEnvironment(), err
}

// AwaitServed waits until every running node serves a commit's content of an environment, under one activation
// index, and returns the environment. It fails at once if the commit's deployment has failed.
func (c *Cluster) AwaitServed(environment, commit string) *pb.Environment {
	c.t.Helper()
	var e *pb.Environment
	var failed error
	Eventually(c.t, DeployWithin, func() (err error) {
		if e, err = c.Environment(environment); err != nil {
			return err
		}
		if d := e.GetCurrentDeployment(); d.GetCommit() == commit && d.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_FAILED {
			failed = fmt.Errorf("%s failed: %s", d.GetId(), d.GetErrorMessage())
			return nil
		}
		return c.servedBy(e, commit)
	})
	if failed != nil {
		c.t.Fatal(failed)
	}
	return e
}

func (c *Cluster) servedBy(e *pb.Environment, commit string) error {
	if e.GetDeployedCommit() != commit && e.GetSyncedCommit() != commit {
		return fmt.Errorf("%s serves %.8s, not %.8s: %v", e.GetName(), e.GetDeployedCommit(), commit, e.GetCurrentDeployment().GetState())
	}
	var errs []error
	for _, node := range c.Nodes {
		if node.Running() {
			errs = append(errs, node.Serves(e.GetName(), e.GetActiveDigest()))
		}
	}
	return errors.Join(errs...)
}

// AwaitSettled waits until nothing is on its way in an environment and returns it.
func (c *Cluster) AwaitSettled(environment string) *pb.Environment {
	c.t.Helper()
	var e *pb.Environment
	Eventually(c.t, DeployWithin, func() (err error) {
		if e, err = c.Environment(environment); err != nil {
			return err
		}
		switch d := e.GetCurrentDeployment(); d.GetState() {
		case pb.DeploymentState_DEPLOYMENT_STATE_PENDING, pb.DeploymentState_DEPLOYMENT_STATE_APPLYING:
			return fmt.Errorf("%s is %v", d.GetId(), d.GetState())
		}
		return nil
	})
	return e
}

// AwaitEqualStates waits until all running nodes have applied the same index, and checks that their states' hashes are
// the same there (I11).
func (c *Cluster) AwaitEqualStates() {
	c.t.Helper()
	var differ error
	Eventually(c.t, StartWithin, func() error {
		hashes := map[uint64]map[string][]string{}
		asked := 0
		for _, node := range c.Nodes {
			if !node.Running() {
				continue
			}
			asked++
			index, hash, err := node.StateHash(c.t.Context())
			if err != nil {
				return err
			}
			if hashes[index] == nil {
				hashes[index] = map[string][]string{}
			}
			hashes[index][hash] = append(hashes[index][hash], node.ID)
		}
		for index, byHash := range hashes {
			if len(byHash) > 1 {
				differ = fmt.Errorf("I11: states differ at index %d: %v", index, byHash)
				return nil
			}
			for _, ids := range byHash {
				if len(ids) == asked {
					return nil
				}
			}
		}
		return fmt.Errorf("the nodes are at different indexes: %v", hashes)
	})
	if differ != nil {
		c.t.Fatal(differ)
	}
}
