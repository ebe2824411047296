package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	"github.com/honua-io/honua-gitops/internal/scaffold"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// nodeCount is how many nodes a cluster has whose plan says nothing else.
	nodeCount = 3
	// neverSeconds is a poll interval that does not end while something is measured.
	neverSeconds = 86400
	readyWithin  = 60 * time.Second
)

// plan is what a cluster is to be.
type plan struct {
	dir, repository string
	// nodes 0 is nodeCount.
	nodes int
	// environments; the first one is what /ogc serves.
	environments []string
	pollSeconds  int
	// historyLimit 0 is the default.
	historyLimit int
	// webhookSecret turns webhooks on.
	webhookSecret string
}

// running is a cluster of processes.
type running struct {
	plan
	program string
	nodes   []*node
}

type section = map[string]any

// newCluster lays out a cluster without starting it.
func newCluster(program string, p plan) (*running, error) {
	if p.nodes == 0 {
		p.nodes = nodeCount
	}
	c := &running{plan: p, program: program}
	if err := scaffold.WriteCities(c.dataDirectory()); err != nil {
		return nil, err
	}
	for i := range p.nodes {
		n := &node{id: fmt.Sprintf("node%d", i+1), dir: filepath.Join(p.dir, fmt.Sprintf("node%d", i+1))}
		n.name, n.program = n.id, program
		for _, address := range []*string{&n.http, &n.grpc, &n.raft, &n.gossip} {
			var err error
			if *address, err = freeAddress(); err != nil {
				return nil, err
			}
		}
		n.args = []string{"server", "--config", n.settingsFile()}
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		if err := c.writeSettings(n); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// startCluster is newCluster, started and ready.
func startCluster(ctx context.Context, program string, p plan) (*running, error) {
	c, err := newCluster(program, p)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.start(), c.awaitReady(ctx), c.awaitHealthy(ctx)); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *running) dataDirectory() string { return filepath.Join(c.dir, "data") }

func (c *running) writeSettings(n *node) error {
	var join []string
	for _, other := range c.nodes {
		if other != n {
			join = append(join, other.gossip)
		}
	}
	environments := section{}
	for _, name := range c.environments[1:] {
		environments[name] = section{"Branch": "main"}
	}
	gitops := section{
		"RepositoryUrl": c.repository, "StateDirectory": filepath.Join(n.dir, "state"),
		"Watcher":          section{"Branch": "main", "Environment": c.environments[0], "PollIntervalSeconds": c.pollSeconds},
		"DeploymentPolicy": section{"RequiresApproval": false}, "Environments": environments,
	}
	if c.historyLimit > 0 {
		gitops["HistoryLimit"] = c.historyLimit
	}
	if c.webhookSecret != "" {
		gitops["Webhook"] = section{"Secret": c.webhookSecret, "Provider": "github"}
	}
	content, err := json.MarshalIndent(section{
		"GitOps": gitops, "Registry": section{"DataDirectory": c.dataDirectory()},
		"Cluster": section{
			"NodeId": n.id, "DataDirectory": n.clusterDirectory(), "Name": "bench", "RaftAddress": n.raft,
			"GossipAddress": n.gossip, "BootstrapExpect": len(c.nodes), "Join": join,
		},
		"Api":     section{"GrpcAddress": n.grpc, "HttpAddress": n.http},
		"Serilog": section{"MinimumLevel": section{"Default": "Warning"}},
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(n.settingsFile(), content, 0o600)
}

// start starts all nodes, from this goroutine.
func (c *running) start() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.start())
	}
	return errors.Join(errs...)
}

// stop ends all nodes and waits for them.
func (c *running) stop() {
	var all sync.WaitGroup
	for _, n := range c.nodes {
		all.Go(n.stop)
	}
	all.Wait()
}

// awaitReady waits until every node serves.
func (c *running) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, len(c.nodes))
	for i, n := range c.nodes {
		all.Go(func() { errs[i] = n.awaitReady(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// client is a client of all nodes that begins with the one of an index.
func (c *running) client(first int) (*client.Client, error) {
	var addresses []string
	for i := range c.nodes {
		addresses = append(addresses, c.nodes[(first+i)%len(c.nodes)].grpc)
	}
	return client.New(client.Config{Addresses: addresses})
}

// awaitHealthy waits until a leader says that every node has kept up.
func (c *running) awaitHealthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	all, err := c.client(0)
	if err != nil {
		return err
	}
	defer all.Close()
	for {
		status, err := all.Cluster().GetStatus(ctx, &pb.GetStatusRequest{})
		if err == nil && healthy(status, len(c.nodes)) {
			return nil
		}
		if !rest(ctx, 20*time.Millisecond) {
			return fmt.Errorf("the cluster is not healthy: %v, %w", status, err)
		}
	}
}

func healthy(status *pb.GetStatusResponse, nodes int) bool {
	if !status.GetHasQuorum() || len(status.GetServers()) != nodes {
		return false
	}
	for _, s := range status.GetServers() {
		if !s.GetHealthy() {
			return false
		}
	}
	return true
}

// leader waits for the node that leads.
func (c *running) leader(ctx context.Context) (*node, error) {
	all, err := c.client(0)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	for {
		status, err := all.Cluster().GetStatus(ctx, &pb.GetStatusRequest{})
		if err != nil {
			return nil, err
		}
		for _, n := range c.nodes {
			if n.id == status.GetLeaderId() {
				return n, nil
			}
		}
		if !rest(ctx, 20*time.Millisecond) {
			return nil, fmt.Errorf("the leader is %q: %w", status.GetLeaderId(), ctx.Err())
		}
	}
}

// freeAddress is a loopback address below the ports that the kernel gives to connections.
func freeAddress() (string, error) {
	const first, last = 15000, 31000
	for port := first + os.Getpid()%1000*10 + int(time.Now().UnixNano()/1000%1000); port < last; port++ {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if taken(address) {
			continue
		}
		return address, nil
	}
	return "", errors.New("no free port")
}

// handedOut keeps one port from being given to two.
var handedOut sync.Map

func taken(address string) bool {
	if _, given := handedOut.LoadOrStore(address, true); given {
		return true
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return true
	}
	_ = listener.Close()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return true
	}
	_ = packets.Close()
	return false
}

// get returns the status of a request whose body does not matter.
func get(ctx context.Context, url string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, drain(response.Body)
}

// rest waits; it reports false if the context ended first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
