package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/honua-io/honua-gitops/internal/scaffold"
)

// devLayout is what a development cluster consists of and where it is.
type devLayout struct {
	dir         string
	environment string
	repo        string
	branch      string
	// ownRepo: the repository is made here if it does not exist.
	ownRepo bool
	// postgis: the example that is made here reads from a database.
	postgis bool
	// scaffolded is the commit that an earlier run or this one made; empty if none did.
	scaffolded string
	nodes      []devNode
	record     devRecord
}

// devNode is one node's place.
type devNode struct {
	id, dir                  string
	http, grpc, raft, gossip string
}

// devRecord is what later runs on the same directory have to know.
type devRecord struct {
	Nodes      int    `json:"nodes"`
	BaseHTTP   int    `json:"baseHttp"`
	BasePort   int    `json:"basePort"`
	Scaffolded string `json:"scaffoldedCommit"`
}

func (l devLayout) recordFile() string    { return filepath.Join(l.dir, "dev.json") }
func (l devLayout) nodesFile() string     { return filepath.Join(l.dir, "nodes.json") }
func (l devLayout) dataDirectory() string { return filepath.Join(l.dir, "data") }

// addresses are the gRPC addresses of all nodes.
func (l devLayout) addresses() []string {
	var list []string
	for _, node := range l.nodes {
		list = append(list, node.grpc)
	}
	return list
}

// content is what a repository that is made here begins with.
func (l devLayout) content() func() ([]scaffold.File, error) {
	if l.postgis {
		return scaffold.PostGISFiles
	}
	return scaffold.Files
}

func (n devNode) configFile() string { return filepath.Join(n.dir, "appsettings.json") }
func (n devNode) logFile() string    { return filepath.Join(n.dir, "honua.log") }

// Ports of one node, above its base.
const (
	raftOffset   = 1
	gossipOffset = 2
	portsPerNode = 10
	lastPort     = 65535
)

// devNodes lays out the nodes' addresses.
func devNodes(dir string, o devOptions) ([]devNode, error) {
	if o.nodes < 1 || o.nodes > maxDevNodes {
		return nil, fmt.Errorf("--nodes %d: a cluster begins with 1 to %d nodes", o.nodes, maxDevNodes)
	}
	if o.baseHTTP < 1 || o.baseHTTP+o.nodes-1 > lastPort {
		return nil, fmt.Errorf("--base-http %d: %d nodes have no ports there", o.baseHTTP, o.nodes)
	}
	if o.basePort < 1 || o.basePort+portsPerNode*(o.nodes-1)+gossipOffset > lastPort {
		return nil, fmt.Errorf("--base-port %d: %d nodes have no ports there", o.basePort, o.nodes)
	}
	var nodes []devNode
	taken := map[string]bool{}
	for i := range o.nodes {
		id, base := "node"+strconv.Itoa(i+1), o.basePort+portsPerNode*i
		node := devNode{
			id: id, dir: filepath.Join(dir, id), http: loopbackPort(o.baseHTTP + i),
			grpc: loopbackPort(base), raft: loopbackPort(base + raftOffset), gossip: loopbackPort(base + gossipOffset),
		}
		for _, address := range []string{node.grpc, node.raft, node.gossip} {
			taken[address] = true
		}
		nodes = append(nodes, node)
	}
	for _, node := range nodes {
		if taken[node.http] {
			return nil, fmt.Errorf("--base-http %d and --base-port %d: both want %s", o.baseHTTP, o.basePort, node.http)
		}
	}
	return nodes, nil
}

func loopbackPort(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func readDevRecord(path string) (record devRecord, found bool, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return devRecord{}, false, nil
	}
	if err != nil {
		return devRecord{}, false, fmt.Errorf("read what the directory holds: %w", err)
	}
	if err := json.Unmarshal(content, &record); err != nil {
		return devRecord{}, false, fmt.Errorf("%s is damaged: %w", path, err)
	}
	return record, true, nil
}

// writeFileAtomically replaces a file in one step: a reader sees the old content or the new one.
func writeFileAtomically(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = file.Write(append(content, '\n'))
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
