package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// bareCommand makes this program a process with nothing but raft in it.
const bareCommand = "bare-raft"

// The times are those of a node with a RaftMultiplier of 1.
const (
	bareHeartbeat = 300 * time.Millisecond
	bareLease     = 200 * time.Millisecond
	bareCommit    = 20 * time.Millisecond
	bareTimeout   = 5 * time.Second
)

// runBare runs raft alone: args are the folder, the address for clients, the own raft address, and those of all.
// Clients send lines: "write" is answered with "ok" once it is committed and applied, or with what is wrong; "leader" with yes or no.
func runBare(ctx context.Context, args []string) error {
	if len(args) < 4 {
		return errors.New("usage: bare-raft DIR CLIENTS RAFT ALL…")
	}
	r, err := newBare(args[0], args[2], args[3:])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", args[1])
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = listener.Close()
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return r.Shutdown().Error()
		}
		go serveBare(r, conn)
	}
}

func newBare(dir, self string, all []string) (*raft.Raft, error) {
	bolt, err := raftboltdb.New(raftboltdb.Options{
		Path:                    filepath.Join(dir, "raft.db"),
		BoltOptions:             &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType},
		MsgpackUseNewTimeFormat: true,
	})
	if err != nil {
		return nil, err
	}
	cache, err := raft.NewLogCache(128, bolt)
	if err != nil {
		return nil, err
	}
	snapshots, err := raft.NewFileSnapshotStore(dir, 2, os.Stderr)
	if err != nil {
		return nil, err
	}
	network, err := raft.NewTCPTransport(self, nil, 3, bareTimeout, os.Stderr)
	if err != nil {
		return nil, err
	}
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(self)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout, c.CommitTimeout = bareHeartbeat, bareHeartbeat, bareLease, bareCommit
	c.Logger = hclog.New(&hclog.LoggerOptions{Level: hclog.Warn})
	r, err := raft.NewRaft(c, nothing{}, cache, bolt, snapshots, &bareTransport{network})
	if err != nil {
		return nil, err
	}
	var servers []raft.Server
	for _, address := range all {
		servers = append(servers, raft.Server{ID: raft.ServerID(address), Address: raft.ServerAddress(address)})
	}
	err = r.BootstrapCluster(raft.Configuration{Servers: servers}).Error()
	if err != nil && !errors.Is(err, raft.ErrCantBootstrap) {
		return nil, err
	}
	return r, nil
}

func serveBare(r *raft.Raft, conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		answer := "ok"
		switch lines.Text() {
		case "leader":
			if r.State() != raft.Leader {
				answer = "no"
			}
		default:
			if err := r.Apply([]byte(strings.Repeat("x", 200)), bareHeartbeat).Error(); err != nil {
				answer = err.Error()
			}
		}
		if _, err := fmt.Fprintln(conn, answer); err != nil {
			return
		}
	}
}

// bareTransport is what a node does to raft's transport: heartbeats take the slow path, which is the safe one, and a
// vote over a dead connection is asked for again.
type bareTransport struct{ *raft.NetworkTransport }

// SetHeartbeatHandler does nothing.
func (*bareTransport) SetHeartbeatHandler(func(raft.RPC)) {}

// RequestVote tries twice.
func (t *bareTransport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	if err := t.NetworkTransport.RequestVote(id, target, args, resp); err == nil {
		return nil
	}
	return t.NetworkTransport.RequestVote(id, target, args, resp)
}

// RequestPreVote tries twice.
func (t *bareTransport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	if err := t.NetworkTransport.RequestPreVote(id, target, args, resp); err == nil {
		return nil
	}
	return t.NetworkTransport.RequestPreVote(id, target, args, resp)
}

// nothing is a state machine that has no state.
type nothing struct{}

// Apply does nothing.
func (nothing) Apply(*raft.Log) any { return nil }

// Snapshot captures nothing.
func (nothing) Snapshot() (raft.FSMSnapshot, error) { return nothing{}, nil }

// Restore reads nothing.
func (nothing) Restore(source io.ReadCloser) error { return source.Close() }

// Persist writes nothing.
func (nothing) Persist(sink raft.SnapshotSink) error { return sink.Close() }

// Release has nothing to release.
func (nothing) Release() {}
