package cluster

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func validConfig() Config {
	return Config{
		NodeID: "a", ClusterName: "honua", DataDirectory: "/var/lib/honua", RaftBind: ":7701", RaftAdvertise: "a.example:7701",
		GossipBind: ":7702", GossipAdvertise: "10.0.0.1:7702", GRPCAdvertise: "a.example:7700",
		Logger: slog.New(slog.DiscardHandler), Exit: func(error) {},
	}
}

func TestConfigValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"valid", func(*Config) {}, ""},
		{"no id", func(c *Config) { c.NodeID = "" }, "NodeID"},
		{"an id that is a path", func(c *Config) { c.NodeID = "../b" }, "NodeID"},
		{"no cluster name", func(c *Config) { c.ClusterName = "" }, "ClusterName"},
		{"no directory", func(c *Config) { c.DataDirectory = "" }, "DataDirectory"},
		{"a wildcard is advertised", func(c *Config) { c.RaftAdvertise = "0.0.0.0:7701" }, "wildcard"},
		{"an IPv6 wildcard is advertised", func(c *Config) { c.RaftAdvertise = "[::]:7701" }, "wildcard"},
		{"nothing is advertised", func(c *Config) { c.GossipAdvertise = ":7702" }, "wildcard"},
		{"no port is advertised", func(c *Config) { c.GRPCAdvertise = "a.example:0" }, "GRPCAdvertise"},
		{"no port", func(c *Config) { c.RaftBind = "a.example" }, "RaftBind"},
		{"a short key", func(c *Config) { c.GossipKey = []byte("short") }, "GossipKey"},
		{"a good key", func(c *Config) { c.GossipKey = make([]byte, 32) }, ""},
		{"multiplier", func(c *Config) { c.RaftMultiplier = 11 }, "RaftMultiplier"},
		{"seed without port", func(c *Config) { c.Join = []string{"b.example"} }, "Join"},
		{"no exit", func(c *Config) { c.Exit = nil }, "Exit"},
		{"no logger", func(c *Config) { c.Logger = nil }, "Logger"},
		{"negative", func(c *Config) { c.BootstrapExpect = -1 }, "BootstrapExpect"},
	} {
		c := validConfig()
		test.change(&c)
		err := c.Validate()
		switch {
		case test.want == "" && err != nil, test.want != "" && !errors.Is(err, ErrConfig):
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: %v does not name %s", test.name, err, test.want)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	err := (&Config{}).Validate()
	for _, name := range []string{"NodeID", "ClusterName", "DataDirectory", "RaftBind", "GossipAdvertise", "Logger", "Exit"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}

func TestRaftTimes(t *testing.T) {
	c := validConfig()
	c.RaftMultiplier = 3
	n := &Node{cfg: c.withDefaults(), log: c.Logger}
	got := n.raftConfig()
	if got.HeartbeatTimeout != 900*time.Millisecond || got.ElectionTimeout != 900*time.Millisecond ||
		got.LeaderLeaseTimeout != 600*time.Millisecond || got.CommitTimeout != 60*time.Millisecond || got.ShutdownOnRemove {
		t.Errorf("%+v", got)
	}
}
