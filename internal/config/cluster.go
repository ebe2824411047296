package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"strconv"
)

// Cluster is this node's place among its peers.
type Cluster struct {
	// NodeID is unique in the cluster: letters, digits, ".", "_" and "-", at most 63.
	NodeID string
	// DataDirectory holds everything that the node must keep; absolute.
	DataDirectory string
	// RaftAddress and GossipAddress are listened on: "host:port", where no host means every interface.
	RaftAddress   string
	GossipAddress string
	// AdvertiseHost is the name or address by which peers reach this node. "" when
	// nothing is configured and RaftAddress names no host: then the caller finds out.
	AdvertiseHost string
	// BootstrapExpect is the number of peers that must agree before a new cluster begins, from 1 to 9.
	BootstrapExpect int
	// Join are gossip addresses of peers, "host:port".
	Join []string
	// GossipKey encrypts gossip; see DecodeGossipKey.
	GossipKey Secret
	// RaftMultiplier stretches raft's timeouts, from 1 to 20.
	RaftMultiplier int
	// Voter is false for a node that only follows.
	Voter bool
	TLS   TLS
	// Insecure allows plain text off loopback.
	Insecure bool
	// Name is the cluster's name: gossip label and certificate role.
	Name string
}

// TLS names PEM files; all or none are set (CAFile alone may be missing where no client certificates are asked for).
type TLS struct {
	CAFile, CertFile, KeyFile string
}

// Enabled tells whether a certificate is configured.
func (t TLS) Enabled() bool { return t.CertFile != "" || t.KeyFile != "" || t.CAFile != "" }

// DecodeGossipKey expands and decodes GossipKey to 16, 24 or 32 bytes; nil when none is configured. Its
// errors wrap ErrInvalid and never hold the key.
func (c *Cluster) DecodeGossipKey() ([]byte, error) {
	text, err := c.GossipKey.Expand()
	if err != nil || text == "" {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || (len(key) != 16 && len(key) != 24 && len(key) != 32) {
		return nil, fmt.Errorf("%w: Cluster.GossipKey must be 16, 24 or 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64", ErrInvalid)
	}
	return key, nil
}

func (c *Cluster) describe(t *table) {
	one(t, "NodeId", plain(), &c.NodeID, derived("the host's name"), "Unique name of this node.")
	one(t, "DataDirectory", plain(), &c.DataDirectory, derived("required"), "Everything that the node must keep lives here.")
	one(t, "RaftAddress", address(), &c.RaftAddress, is(":7701"), "Address for replication between nodes.")
	one(t, "GossipAddress", address(), &c.GossipAddress, is(":7702"), "Address for finding nodes.")
	one(t, "AdvertiseHost", plain(), &c.AdvertiseHost, derived("the host of RaftAddress"), "Name or address by which other nodes reach this one.")
	one(t, "BootstrapExpect", count(9), &c.BootstrapExpect, is("1"),
		"Nodes that must find each other before a new cluster begins. 1 with Join set never begins one.")
	list(t, "Join", remote(), &c.Join, "Gossip addresses of other nodes.")
	one(t, "GossipKey", secret(), &c.GossipKey, preset{}, "16, 24 or 32 bytes in base64. Required off loopback, unless Insecure. Expanded as credentials are.")
	one(t, "RaftMultiplier", count(20), &c.RaftMultiplier, is("1"), "Stretches the election timeouts, for slow networks.")
	one(t, "Voter", flag(), &c.Voter, is("true"), "false: the node follows and never votes.")
	t.section("Tls", func(t *table) { c.TLS.describe(t, "Required off loopback, unless Cluster.Insecure.") })
	one(t, "Insecure", flag(), &c.Insecure, is("false"), "Allows plain text off loopback.")
	one(t, "Name", plain(), &c.Name, is("honua"), "The cluster's name, in gossip and in certificates (server.<name>.honua).")
}

func (t *TLS) describe(in *table, when string) {
	one(in, "CaFile", plain(), &t.CAFile, preset{}, "Certificates of the authorities to trust, PEM. "+when)
	one(in, "CertFile", plain(), &t.CertFile, preset{}, "This node's certificate, PEM. "+when)
	one(in, "KeyFile", plain(), &t.KeyFile, preset{}, "Its private key, PEM, mode 0600. "+when)
}

// address is one to listen on.
func address() kind[string] {
	return kind[string]{name: `"host:port"`, example: `":7700" or "10.0.0.1:7700"`, parse: func(s string) (string, error) {
		return s, checkAddress(s)
	}}
}

// remote is an address to dial.
func remote() kind[string] {
	return kind[string]{name: `"host:port"`, example: `"10.0.0.1:7702"`, parse: func(s string) (string, error) {
		if host, _, err := net.SplitHostPort(s); err == nil && host == "" {
			return "", parseError("names no host")
		}
		return s, checkAddress(s)
	}}
}

func checkAddress(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return parseError("is not an address")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return parseError("has no port from 0 to 65535")
	}
	return nil
}

// loopback tells whether an address is reachable from this machine only. No host is every interface.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
