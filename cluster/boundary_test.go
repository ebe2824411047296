package cluster

import (
	"bytes"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// discarded is a state machine that keeps nothing.
type discarded struct{}

func (discarded) Apply(*raft.Log) any                 { return nil }
func (discarded) Snapshot() (raft.FSMSnapshot, error) { return discarded{}, nil }
func (discarded) Restore(content io.ReadCloser) error { return content.Close() }
func (discarded) Persist(sink raft.SnapshotSink) error {
	_, err := sink.Write([]byte("snapshot"))
	return err
}
func (discarded) Release() {}

// follower is a real raft on this package's storage, and a leader that the test plays.
type follower struct {
	t          *testing.T
	disk       *storage
	leader     *raft.InmemTransport
	self       raft.ServerAddress
	group      raft.Configuration
	term       uint64
	leaderAddr raft.ServerAddress
}

func newFollower(t *testing.T) *follower {
	t.Helper()
	f := &follower{t: t, disk: testStorage(t, t.TempDir()), term: 2}
	var own *raft.InmemTransport
	f.self, own = raft.NewInmemTransport("follower")
	f.leaderAddr, f.leader = raft.NewInmemTransport("leader")
	f.leader.Connect(f.self, own)
	for _, id := range []string{"follower", "leader", "third"} {
		f.group.Servers = append(f.group.Servers, raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(id)})
	}
	c := raft.DefaultConfig()
	c.LocalID, c.Logger = "follower", raftLogger(slog.New(slog.DiscardHandler))
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = time.Hour, time.Hour, time.Hour
	r, err := raft.NewRaft(c, discarded{}, f.disk.log, f.disk.votes, f.disk.snapshots, own)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Shutdown().Error(); err != nil {
			t.Error(err)
		}
		if err := f.disk.close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// install gives the follower a snapshot that ends with an entry.
func (f *follower) install(index, term uint64) {
	f.t.Helper()
	content := []byte("snapshot")
	var resp raft.InstallSnapshotResponse
	err := f.leader.InstallSnapshot("follower", f.self, &raft.InstallSnapshotRequest{
		RPCHeader: f.header(), SnapshotVersion: raft.SnapshotVersionMax, Term: f.term, LastLogIndex: index, LastLogTerm: term,
		Configuration: raft.EncodeConfiguration(f.group), ConfigurationIndex: 1, Size: int64(len(content)),
	}, &resp, bytes.NewReader(content))
	if err != nil || !resp.Success {
		f.t.Fatalf("a snapshot: %v, %+v", err, resp)
	}
}

// send sends count entries of a term that follow the entry (previous, previousTerm), and reports whether they are taken.
func (f *follower) send(previous, previousTerm uint64, count int, term uint64) bool {
	f.t.Helper()
	request := &raft.AppendEntriesRequest{RPCHeader: f.header(), Term: f.term, PrevLogEntry: previous, PrevLogTerm: previousTerm}
	for i := range count {
		request.Entries = append(request.Entries, &raft.Log{Index: previous + uint64(i) + 1, Term: term, Type: raft.LogNoop})
	}
	var resp raft.AppendEntriesResponse
	if err := f.leader.AppendEntries("follower", f.self, request, &resp); err != nil {
		f.t.Fatal(err)
	}
	return resp.Success
}

func (f *follower) header() raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("leader"), Addr: []byte(f.leaderAddr)}
}

// What follows a snapshot is sent again when an answer was lost. The follower takes it again: it must not ask for the
// snapshot once more, and again and again. Found by damaging the files of nodes under load.
func TestEntriesAfterASnapshotAreTakenAgain(t *testing.T) {
	f := newFollower(t)
	f.install(100, 2)
	for range 3 {
		if !f.send(100, 2, 5, 2) {
			t.Fatal("the follower does not take what follows its snapshot")
		}
	}
	if f.send(100, 1, 5, 2) {
		t.Error("entries were taken that follow another entry than the snapshot's last")
	}
	if f.send(99, 2, 6, 2) {
		t.Error("entries were taken that follow one that is not known")
	}
	if !f.send(105, 2, 1, 2) {
		t.Error("it does not go on")
	}
}

// A follower with entries of another leader, which were never committed, is given a snapshot that ends in the middle
// of them: it takes the leader's entries instead of them.
// https://github.com/hashicorp/raft/issues/697
func TestEntriesAfterASnapshotReplaceOthers(t *testing.T) {
	f := newFollower(t)
	f.term = 1
	if !f.send(0, 0, 10, 1) {
		t.Fatal("the first entries are not taken")
	}
	f.term = 3
	f.install(5, 3)
	if !f.send(5, 3, 3, 3) {
		t.Fatal("the follower does not take what follows its snapshot")
	}
	var got raft.Log
	if err := f.disk.log.GetLog(8, &got); err != nil || got.Term != 3 {
		t.Errorf("entry 8 is of term %d, %v", got.Term, err)
	}
	if err := f.disk.log.GetLog(9, &got); err == nil {
		t.Error("an entry of the other leader is left")
	}
}

// What stands for the end of a snapshot is never sent: it is not the entry that was there. A leader does not even see it.
func TestEndOfASnapshotIsNotSent(t *testing.T) {
	f := newFollower(t)
	f.install(100, 2)
	var entry raft.Log
	if err := f.disk.log.GetLog(100, &entry); err != nil || entry.Term != 2 {
		t.Fatalf("%+v, %v", entry, err)
	}
	if sendable(&raft.AppendEntriesRequest{Entries: []*raft.Log{{Index: 99, Type: raft.LogNoop}, &entry}}) == nil {
		t.Error("it would be sent")
	}
	if err := sendable(&raft.AppendEntriesRequest{Entries: []*raft.Log{{Index: 99, Type: raft.LogNoop}}}); err != nil {
		t.Errorf("an entry that does no more than it says: %v", err)
	}
	f.disk.leads = func() bool { return true }
	if err := f.disk.log.GetLog(100, &entry); err == nil {
		t.Error("a leader finds an entry that is not there")
	}
}
