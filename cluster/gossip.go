package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	// reclaimTime lets a node come back under another address.
	reclaimTime = 10 * time.Second
	// gossipTimeout bounds one exchange with a peer, and so how long a node
	// that stops may have to wait for one.
	gossipTimeout = 1500 * time.Millisecond
	leaveTimeout  = 500 * time.Millisecond
	// rejoinInterval: memberlist forgets peers that were away for long.
	rejoinInterval = 5 * time.Second
	resolveTimeout = 5 * time.Second
)

// gossip keeps the list of members. Its own copy is written by memberlist's
// callbacks, which run under memberlist's locks: they must not block, and must
// not call back.
type gossip struct {
	cfg     *Config
	log     *slog.Logger
	list    atomic.Pointer[memberlist.Memberlist]
	changed signal

	mu      sync.Mutex
	members map[string]Member
	self    meta
	meta    []byte // self, encoded
	// keys is nil where gossip is not encrypted.
	keys *keyring
}

func newGossip(cfg *Config, incarnation string) (*gossip, error) {
	self := meta{
		ClusterName: cfg.ClusterName, Incarnation: incarnation, Raft: cfg.RaftAdvertise,
		GRPC: cfg.GRPCAdvertise, HTTP: cfg.HTTPAdvertise, Gossip: cfg.GossipAdvertise,
		Voter: cfg.Voter, Version: cfg.Version,
	}
	data, err := encodeMeta(self)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	keys, err := openKeyring(cfg.DataDirectory, cfg.GossipKey, cfg.Logger)
	if err != nil {
		return nil, err
	}
	return &gossip{cfg: cfg, log: cfg.Logger, members: map[string]Member{}, self: self, meta: data, keys: keys}, nil
}

// start begins to listen; nobody is contacted yet.
func (g *gossip) start(ctx context.Context) error {
	config, err := g.config(ctx)
	if err != nil {
		return err
	}
	list, err := memberlist.Create(config)
	if err != nil {
		return fmt.Errorf("starting gossip: %w", err)
	}
	g.list.Store(list)
	return nil
}

func (g *gossip) config(ctx context.Context) (*memberlist.Config, error) {
	c := memberlist.DefaultLANConfig()
	c.Name = g.cfg.NodeID
	c.Label = g.cfg.ClusterName
	if g.keys != nil {
		c.Keyring = g.keys.ring
	}
	c.DeadNodeReclaimTime = reclaimTime
	c.TCPTimeout = gossipTimeout
	c.Logger = gossipLogger(g.log)
	c.MsgpackUseNewTimeFormat = true
	// A compressor would be made for each message, and most messages are too small for it. What others compress is read.
	c.EnableCompression = false
	c.Delegate, c.Events, c.Alive, c.Conflict = delegate{g}, delegate{g}, delegate{g}, delegate{g}
	var err error
	if c.BindAddr, c.BindPort, err = splitAddress(g.cfg.GossipBind); err != nil {
		return nil, err
	}
	if c.BindAddr == "" {
		c.BindAddr = "0.0.0.0"
	}
	host, port, err := splitAddress(g.cfg.GossipAdvertise)
	if err != nil {
		return nil, err
	}
	if c.AdvertiseAddr, err = resolve(ctx, host); err != nil {
		return nil, err
	}
	c.AdvertisePort = port
	c.Transport, err = g.cfg.Network.Gossip(g.cfg.GossipBind)
	return c, err
}

// rejoin contacts the seeds that are not members, again and again.
func (g *gossip) rejoin(ctx context.Context) error {
	ticker := time.NewTicker(rejoinInterval)
	defer ticker.Stop()
	warned := false
	for {
		missing := g.missing()
		if err := g.contact(ctx, missing); err != nil && !warned {
			g.log.Warn("no peer answers gossip yet", "seeds", missing, "error", err)
			warned = true
		} else if err == nil {
			warned = false
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// contact tries seeds one after the other, because a try cannot be
// interrupted. It fails if all do.
func (g *gossip) contact(ctx context.Context, seeds []string) error {
	var problems []error
	for _, seed := range seeds {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // not reached; the next round tries again
		}
		if _, err := g.list.Load().Join([]string{seed}); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) == len(seeds) {
		return errors.Join(problems...)
	}
	return nil
}

// missing returns the seeds whose address no living member has.
func (g *gossip) missing() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.cfg.Join), func(seed string) bool {
		if seed == g.cfg.GossipAdvertise {
			return true
		}
		for _, m := range g.members {
			if m.Gossip == seed && m.Status == MemberAlive {
				return true
			}
		}
		return false
	})
}

// stop tells the others that this node leaves, and ends.
func (g *gossip) stop() {
	list := g.list.Load()
	if list == nil {
		return
	}
	g.sayLeaving(list)
	if err := list.Leave(leaveTimeout); err != nil {
		g.log.Debug("gossip not left in order", "error", err)
	}
	if err := list.Shutdown(); err != nil {
		g.log.Warn("gossip not ended in order", "error", err)
	}
}

func (g *gossip) sayLeaving(list *memberlist.Memberlist) {
	g.mu.Lock()
	g.self.Leaving = true
	if data, err := encodeMeta(g.self); err == nil {
		g.meta = data
	}
	g.mu.Unlock()
	if err := list.UpdateNode(leaveTimeout); err != nil {
		g.log.Debug("leaving was not told", "error", err)
	}
}

// all returns the members by id.
func (g *gossip) all() []Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Member, 0, len(g.members))
	for _, m := range g.members {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (g *gossip) get(id string) (Member, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.members[id]
	return m, ok
}

func (g *gossip) put(m Member) {
	g.mu.Lock()
	g.members[m.ID] = m
	g.mu.Unlock()
	g.changed.notify()
}

func splitAddress(address string) (string, int, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.Atoi(port)
	return host, number, err
}

// resolve: memberlist advertises addresses, not names.
func resolve(ctx context.Context, host string) (string, error) {
	if net.ParseIP(host) != nil {
		return host, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", fmt.Errorf("resolving the gossip address: %w", err)
	}
	if i := slices.IndexFunc(addresses, func(a netip.Addr) bool { return a.Unmap().Is4() }); i > 0 {
		return addresses[i].Unmap().String(), nil
	}
	return addresses[0].Unmap().String(), nil
}
