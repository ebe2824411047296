package cluster

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

const (
	rpcTimeout  = 5 * time.Second
	pooledConns = 3
	// oneAtATime turns pipelining off. Raft's pipeline stands still for ever when
	// an answer is lost while the next request is handed over: the follower hears
	// heartbeats and gets no entry until another leads
	// (https://github.com/hashicorp/raft/issues/612). It would also keep failures
	// from AppendEntries below.
	oneAtATime = 1
	// courtPoll is how often a replication that waits for its peer looks.
	courtPoll = 50 * time.Millisecond
	// courtSilence: without a heartbeat for so long, this node leads no more.
	courtSilence = 2 * time.Second
)

// transport wraps raft's. It embeds the concrete type, because embedding the
// interface would lose pre-vote.
type transport struct {
	*raft.NetworkTransport
	contacts *contacts
	stream   *streamLayer
	// moving is the server whose address changes just now, nil if none does.
	moving atomic.Pointer[move]
	directory
}

// directory is what the transport has to know of the configuration.
type directory interface {
	raft.ServerAddressProvider
	configured(id raft.ServerID) bool
	heard(id raft.ServerID, s standing)
}

func newTransport(stream *streamLayer, contacts *contacts, addresses directory, logger hclog.Logger) *transport {
	return &transport{
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: stream, MaxPool: pooledConns, MaxRPCsInFlight: oneAtATime, Timeout: rpcTimeout, Logger: logger,
			ServerAddressProvider: addresses, MsgpackUseNewTimeFormat: true,
		}),
		contacts:  contacts,
		stream:    stream,
		directory: addresses,
	}
}

// SetHeartbeatHandler does nothing: raft's fast path for heartbeats changes the
// term outside of its main loop, and replicas can diverge
// (https://github.com/hashicorp/raft/issues/695).
func (*transport) SetHeartbeatHandler(func(raft.RPC)) {}

// RequestVote tries twice: a pooled connection to a peer that was restarted is
// dead, and a vote lost to it costs a whole election.
func (t *transport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	err := twice(func() error { return t.NetworkTransport.RequestVote(id, target, args, resp) })
	if err == nil {
		t.heard(id, standing{Term: resp.Term})
	}
	return err
}

// RequestPreVote tries twice, as RequestVote does.
func (t *transport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return twice(func() error { return t.NetworkTransport.RequestPreVote(id, target, args, resp) })
}

func twice(call func() error) error {
	start := time.Now()
	err := call()
	if err == nil || time.Since(start) >= heartbeatTimeout {
		return err
	}
	return call()
}

// AppendEntries notes who answers. Raft pauses for up to ten seconds between
// its attempts to replicate to a peer that was away, also when the peer has
// come back and answers heartbeats; a cluster that needs that peer for its
// quorum would stand still for as long. So a failed replication is kept here
// until the peer answers a heartbeat, and then tried again.
func (t *transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if isHeartbeat(args) {
		t.contacts.ask(id)
		defer t.contacts.unanswered(id)
		return t.append(id, target, args, resp)
	}
	if t.turnsAway(id, target) {
		return errMoving
	}
	err := t.append(id, target, args, resp)
	if err == nil || !t.court(id, target, time.Now()) {
		return err
	}
	return t.append(id, target, args, resp)
}

func (t *transport) append(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if err := sendable(args); err != nil {
		return err
	}
	err := t.NetworkTransport.AppendEntries(id, target, args, resp)
	if err == nil && resp.Term <= args.Term {
		t.contacts.answered(id, resp.LastLog)
	}
	if err == nil {
		t.heard(id, held(args, resp))
	}
	return err
}

// held is what an answer shows of a peer's disk: its term, and what of its log
// can't be taken back, because it is the leader's and committed.
func held(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) standing {
	s := standing{Term: resp.Term}
	if resp.Success {
		s.Index = min(args.LeaderCommitIndex, args.PrevLogEntry+uint64(len(args.Entries)))
	}
	return s
}

// InstallSnapshot notes that the peer is being helped: that may take long.
func (t *transport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	return t.NetworkTransport.InstallSnapshot(id, target, args, resp, notedReader{data, t.contacts})
}

type notedReader struct {
	io.Reader
	contacts *contacts
}

// Read notes the progress.
func (r notedReader) Read(p []byte) (int, error) {
	r.contacts.advance()
	return r.Reader.Read(p)
}

// court waits until the peer has answered something after the given time. It
// gives up when the peer was removed, moves, or is sent no more heartbeats.
func (t *transport) court(id raft.ServerID, target raft.ServerAddress, since time.Time) bool {
	ticker := time.NewTicker(courtPoll)
	defer ticker.Stop()
	for {
		select {
		case <-t.stream.closing:
			return false
		case <-ticker.C:
		}
		if t.turnsAway(id, target) {
			return false
		}
		c := t.contacts.get(id)
		if c.at.After(since) {
			return true
		}
		if !t.configured(id) || c.inFlight == 0 && time.Since(c.asked) > courtSilence {
			return false
		}
	}
}

// isHeartbeat is raft's own test for it.
func isHeartbeat(args *raft.AppendEntriesRequest) bool {
	return args.PrevLogEntry == 0 && args.PrevLogTerm == 0 && len(args.Entries) == 0 && args.LeaderCommitIndex == 0
}
