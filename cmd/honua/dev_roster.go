package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// roster knows which processes run. It keeps nodes.json current and tells the operator about what dies.
type roster struct {
	layout  devLayout
	out     io.Writer
	restart restartPolicy
	// stopping silences what ends because it was asked to.
	stopping func() bool
	// failed is called when a node has died too often before the cluster was ready.
	failed func(error)

	mu     sync.Mutex
	pids   map[string]int
	deaths map[string]int
	ready  bool
}

// deathsBeforeReady is how often a node may die before the cluster is given up.
const deathsBeforeReady = 3

// nodesView is nodes.json.
type nodesView struct {
	Nodes []nodeView `json:"nodes"`
}

// nodeView is one node in nodes.json; pid is 0 while it is down.
type nodeView struct {
	ID            string `json:"id"`
	PID           int    `json:"pid"`
	HTTPAddress   string `json:"httpAddress"`
	GRPCAddress   string `json:"grpcAddress"`
	RaftAddress   string `json:"raftAddress"`
	GossipAddress string `json:"gossipAddress"`
}

func newRoster(layout devLayout, out io.Writer, restart restartPolicy) *roster {
	return &roster{layout: layout, out: out, restart: restart, pids: map[string]int{}, deaths: map[string]int{}}
}

func (r *roster) started(node devNode, pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	again := r.deaths[node.id] > 0
	r.pids[node.id] = pid
	r.save()
	if again {
		r.say("%s was started again, process %d", node.id, pid)
	}
}

func (r *roster) died(node devNode, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid := r.pids[node.id]
	r.pids[node.id] = 0
	r.save()
	if r.stopping() {
		return
	}
	r.deaths[node.id]++
	switch {
	case r.restart.never:
		r.say("%s (process %d) has died: %s; it stays down (--no-restart). Its log: %s", node.id, pid, reason, node.logFile())
	default:
		r.say("%s (process %d) has died: %s; starting it again in %s. Its log: %s", node.id, pid, reason, r.restart.after, node.logFile())
	}
	if !r.ready && (r.deaths[node.id] >= deathsBeforeReady || r.restart.never) {
		r.failed(fmt.Errorf("%s does not start: %s\n%s", node.id, reason, logTail(node)))
	}
}

// begin notes that the cluster is ready: from now on a node that dies is no reason to give up.
func (r *roster) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = true
}

// nodes is the present content of nodes.json.
func (r *roster) nodes() nodesView {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshot()
}

func (r *roster) snapshot() nodesView {
	v := nodesView{Nodes: []nodeView{}}
	for _, node := range r.layout.nodes {
		v.Nodes = append(v.Nodes, nodeView{
			ID: node.id, PID: r.pids[node.id], HTTPAddress: node.http, GRPCAddress: node.grpc,
			RaftAddress: node.raft, GossipAddress: node.gossip,
		})
	}
	return v
}

func (r *roster) save() {
	if err := writeFileAtomically(r.layout.nodesFile(), r.snapshot()); err != nil {
		r.say("%v", err)
	}
}

func (r *roster) say(format string, args ...any) {
	fmt.Fprintf(r.out, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}
