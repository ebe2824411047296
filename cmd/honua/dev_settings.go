package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// pollSeconds is how often a development cluster looks for a new commit.
const pollSeconds = 2

type section = map[string]any

// settings are a node's appsettings.json.
func (l devLayout) settings(node devNode) section {
	join := []string{}
	for _, other := range l.nodes {
		if other.id != node.id {
			join = append(join, other.gossip)
		}
	}
	return section{
		"GitOps": section{
			"RepositoryUrl":  (&url.URL{Scheme: "file", Path: filepath.ToSlash(l.repo)}).String(),
			"StateDirectory": filepath.Join(node.dir, "state"),
			"Watcher":        section{"Branch": l.branch, "Environment": l.environment, "PollIntervalSeconds": pollSeconds},
		},
		"Registry": section{"DataDirectory": l.dataDirectory()},
		"Cluster": section{
			"NodeId": node.id, "DataDirectory": filepath.Join(node.dir, "cluster"), "Name": "honua-dev",
			"RaftAddress": node.raft, "GossipAddress": node.gossip, "BootstrapExpect": len(l.nodes), "Join": join,
		},
		"Api": section{"GrpcAddress": node.grpc, "HttpAddress": node.http},
	}
}

// writeSettings writes every node's settings anew: the flags decide, not what an earlier run wrote.
func (l devLayout) writeSettings() error {
	for _, node := range l.nodes {
		if err := os.MkdirAll(node.dir, 0o700); err != nil {
			return fmt.Errorf("make the node's directory: %w", err)
		}
		if err := writeFileAtomically(node.configFile(), l.settings(node)); err != nil {
			return err
		}
	}
	return nil
}
