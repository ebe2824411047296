package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"time"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/internal/failpoint"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Raft's times for a RaftMultiplier of 1. A failover takes about twice the
// heartbeat timeout, because both survivors must have missed the leader.
const (
	heartbeatTimeout = 300 * time.Millisecond
	leaseTimeout     = 200 * time.Millisecond
	commitTimeout    = 20 * time.Millisecond
)

// TLS gives the certificates that nodes show each other.
type TLS interface {
	// ServerConfig asks for and verifies client certificates.
	ServerConfig() *tls.Config
	// ClientConfig expects the server's certificate to hold the name.
	ClientConfig(serverName string) *tls.Config
}

// Config is what a node needs to know of itself. Addresses are host:port.
type Config struct {
	// NodeID is unique in the cluster and stays with the data directory.
	NodeID string
	// ClusterName labels gossip and is part of the certificates' role.
	ClusterName string
	// DataDirectory holds the log, the snapshots and the incarnation; 0700.
	DataDirectory string

	// RaftBind is listened on, RaftAdvertise is what peers dial: a name or an
	// address of this machine, never a wildcard.
	RaftBind, RaftAdvertise     string
	GossipBind, GossipAdvertise string
	GRPCAdvertise               string
	HTTPAdvertise               string

	// GossipKey encrypts gossip: 16, 24 or 32 bytes, or none.
	GossipKey []byte
	// BootstrapExpect is how many voters found a new cluster together; 0: this
	// node never does. 1 with Join set does not bootstrap either.
	BootstrapExpect int
	// Join are gossip addresses of peers.
	Join []string
	// RaftMultiplier, 1 to 10, stretches raft's times for slow networks; 0 is 1.
	RaftMultiplier int
	// Voter: false makes a node that follows and serves and never votes.
	Voter bool
	// Version is shown to peers.
	Version string
	// TLS is nil for plaintext.
	TLS TLS
	// Authorizer decides about what other nodes send on; nil lets everything in.
	Authorizer Authorizer

	// InitialSettings returns the settings that this node's own file holds and
	// the file's digest; the first leader of a new cluster replicates them.
	InitialSettings func() (*pb.SettingsValue, string)
	Logger          *slog.Logger
	// LeaderTask runs while this node leads; nil runs nothing.
	LeaderTask LeaderTask
	// Exit ends the process at once, without any of its cleanup: the disk hangs,
	// or a write to it failed, or it returned something damaged. It should not return.
	Exit func(error)

	// SnapshotThreshold is how many entries make a snapshot worth while,
	// TrailingLogs how many stay in the log behind it, SnapshotInterval how
	// often it is looked at. 0 takes the defaults.
	SnapshotThreshold uint64
	TrailingLogs      uint64
	SnapshotInterval  time.Duration
	// PromotionDelay is how long a learner must keep up before it votes; 0 is 10 s.
	PromotionDelay time.Duration
	// NonvoterExpiry is how long a non-voter may be gone; 0 is 10 minutes.
	NonvoterExpiry time.Duration

	// DialOptions are added to those of connections to other nodes' gRPC.
	DialOptions []grpc.DialOption
	// Network carries the node's connections; nil is TCP.
	Network Network
}

// ErrConfig is in the chain of everything that Validate finds.
var ErrConfig = errors.New("the cluster configuration is invalid")

var validName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)

// Validate returns all errors at once.
func (c *Config) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...)))
	}
	if !validName.MatchString(c.NodeID) {
		wrong("NodeID %q: letters, digits, '-', '_' and '.', at most 64", c.NodeID)
	}
	if !validName.MatchString(c.ClusterName) {
		wrong("ClusterName %q: letters, digits, '-', '_' and '.', at most 64", c.ClusterName)
	}
	if c.DataDirectory == "" {
		wrong("DataDirectory is missing")
	}
	c.validateAddresses(wrong)
	switch len(c.GossipKey) {
	case 0, 16, 24, 32:
	default:
		wrong("GossipKey has %d bytes: 16, 24 or 32 are possible", len(c.GossipKey))
	}
	if c.BootstrapExpect < 0 {
		wrong("BootstrapExpect %d is negative", c.BootstrapExpect)
	}
	if c.RaftMultiplier < 0 || c.RaftMultiplier > 10 {
		wrong("RaftMultiplier %d: 1 to 10", c.RaftMultiplier)
	}
	if c.Logger == nil {
		wrong("Logger is missing")
	}
	if c.Exit == nil {
		wrong("Exit is missing")
	}
	return errors.Join(problems...)
}

func (c *Config) validateAddresses(wrong func(string, ...any)) {
	for _, a := range []struct {
		name, value string
		advertised  bool
	}{
		{"RaftBind", c.RaftBind, false},
		{"RaftAdvertise", c.RaftAdvertise, true},
		{"GossipBind", c.GossipBind, false},
		{"GossipAdvertise", c.GossipAdvertise, true},
		{"GRPCAdvertise", c.GRPCAdvertise, true},
	} {
		host, port, err := net.SplitHostPort(a.value)
		if err != nil {
			wrong("%s %q is not host:port", a.name, a.value)
			continue
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || a.advertised && number == 0 {
			wrong("%s %q has no usable port", a.name, a.value)
		}
		ip := net.ParseIP(host)
		if a.advertised && (host == "" || ip != nil && ip.IsUnspecified()) {
			wrong("%s %q: peers cannot dial a wildcard, name this machine", a.name, a.value)
		}
	}
	for _, seed := range c.Join {
		if _, _, err := net.SplitHostPort(seed); err != nil {
			wrong("Join %q is not host:port", seed)
		}
	}
}

func (c Config) withDefaults() Config {
	setDefault(&c.RaftMultiplier, 1)
	if failpoint.Enabled { // so that a short test sees many snapshots, and nodes that need one
		c.SnapshotThreshold, c.TrailingLogs, c.SnapshotInterval = 256, 128, 2*time.Second
	}
	setDefault(&c.SnapshotThreshold, 4096)
	setDefault(&c.TrailingLogs, 2048)
	setDefault(&c.SnapshotInterval, 30*time.Second)
	setDefault(&c.PromotionDelay, 10*time.Second)
	setDefault(&c.NonvoterExpiry, 10*time.Minute)
	if c.Network == nil {
		c.Network = tcpNetwork{}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// electionTimeout is raft's, with the multiplier.
func (c *Config) electionTimeout() time.Duration {
	return time.Duration(c.RaftMultiplier) * heartbeatTimeout
}

// role is the name that every node's certificate holds.
func (c *Config) role() string { return "server." + c.ClusterName + ".honua" }
