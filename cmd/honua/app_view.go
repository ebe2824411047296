package main

import (
	"net"
	"sync/atomic"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/api/ogc"
	"github.com/honua-io/honua-gitops/api/web"
	"github.com/honua-io/honua-gitops/cluster"
	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/reconciler/node"
)

// webNode is this node as health and metrics see it.
type webNode struct {
	app *app
	// compared is the newest comparison of the settings file with what is in force.
	compared atomic.Pointer[comparison]
}

// comparison is what in the node's settings file is not in force.
type comparison struct {
	inForce   *fsm.Settings
	differing []string
}

func (w *webNode) State() *fsm.State { return w.app.cluster.Store().State() }

func (w *webNode) Contact() web.Contact {
	s, inForce := w.app.cluster.Status(), w.State().Settings()
	return web.Contact{
		DifferingSettings: w.differing(inForce),
		Overruled:         inForce != nil && inForce.FileDigest == w.app.settings.digest,
		NodeID:            s.NodeID, LeaderID: s.LeaderID, Leader: s.State == cluster.StateLeader, HasQuorum: s.HasQuorum,
		CaughtUp: s.CaughtUp, Term: s.Term, AppliedIndex: s.AppliedIndex, CommitIndex: s.CommitIndex, Halted: s.Fatal, Writing: s.Writing,
		Backups: w.app.webBackups(), Unwritten: w.app.node.Unwritten(),
	}
}

// differing compares once for each settings in force: neither they nor the file change, and probes ask all the time.
func (w *webNode) differing(inForce *fsm.Settings) []string {
	c := w.compared.Load()
	if c == nil || c.inForce != inForce {
		c = &comparison{inForce, admin.DifferingSettings(inForce, w.app.settings.value)}
		w.compared.Store(c)
	}
	return c.differing
}

func (w *webNode) Serving() []web.Served {
	var served []web.Served
	for _, s := range w.app.node.Serves() {
		if digest, ok := w.app.registry.Digest(s.Environment); ok {
			served = append(served, web.Served{
				Environment: s.Environment, Epoch: s.Epoch, Index: s.ActivationIndex, Digest: digest, Problem: s.Problem, Drift: s.Drift,
			})
		}
	}
	return served
}

func (w *webNode) Drift() []web.Drift {
	var drift []web.Drift
	for _, d := range w.app.node.DriftCounts() {
		drift = append(drift, web.Drift(d))
	}
	return drift
}

// observeRequest counts one request for features.
func (a *app) observeRequest(o ogc.Observation) {
	a.metrics.ObserveRequest(web.Request{
		Route: o.Route, Environment: o.Environment, Collection: o.Collection, Method: o.Method,
		Status: o.Status, Aborted: o.Aborted, Duration: o.Duration,
	})
}

// addresses are where peers reach this node: what it listens on, with the
// advertised host where it listens on every interface.
func (a *app) addresses() node.Addresses {
	c := &a.config.Cluster
	return node.Addresses{
		Raft: a.advertise(c.RaftAddress), Gossip: a.advertise(c.GossipAddress),
		GRPC: a.advertise(a.grpcListener.Addr().String()), HTTP: a.advertise(a.httpListener.Addr().String()),
	}
}

func (a *app) advertise(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if a.config.Cluster.AdvertiseHost != "" {
		host = a.config.Cluster.AdvertiseHost
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = firstAddress()
	}
	return net.JoinHostPort(host, port)
}

// firstAddress is an address of this machine that others may reach; loopback if
// there is none.
func firstAddress() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, address := range addresses {
		if ip, ok := address.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	return "127.0.0.1"
}
