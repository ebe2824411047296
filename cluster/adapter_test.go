package cluster

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func entry(t *testing.T, index uint64, payload *pb.Payload) *raft.Log {
	t.Helper()
	data, err := fsm.Encode(fsm.Header{Term: 1, ProposedAt: int64(index), Proposer: "a"}, payload)
	if err != nil {
		t.Fatal(err)
	}
	log := sealed(data)
	log.Index, log.Term = index, 1
	return &log
}

func initialised(t *testing.T) *adapter {
	t.Helper()
	a := newAdapter(fsm.NewStore(fsm.New()))
	settings, digest := initialSettings()
	got := a.Apply(entry(t, 1, &pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{
		ClusterId: "id", ClusterName: "test", Settings: settings, SettingsDigest: digest,
	}}})).(applied)
	if got.err != nil || got.result.Err() != nil {
		t.Fatal(got.err, got.result.Err())
	}
	return a
}

func TestHaltedNodeAppliesNothing(t *testing.T) {
	for name, damage := range map[string]func(*raft.Log){
		"a flipped bit":      func(l *raft.Log) { l.Data = append([]byte{l.Data[0] ^ 1}, l.Data[1:]...) },
		"no checksum":        func(l *raft.Log) { l.Extensions = nil },
		"not a command":      func(l *raft.Log) { *l = sealed([]byte("?")); l.Index, l.Term = 2, 1 },
		"of an unknown kind": func(l *raft.Log) { *l = *entry(t, 2, &pb.Payload{}) },
	} {
		t.Run(name, func(t *testing.T) {
			a := initialised(t)
			before := a.store.State()
			bad := entry(t, 2, poll("").Payload)
			damage(bad)
			got := a.Apply(bad).(applied)
			var fatal *fsm.FatalError
			if !errors.As(got.err, &fatal) || fatal.Index != 2 || !errors.Is(got.err, ErrHalted) {
				t.Fatalf("%v", got.err)
			}
			select {
			case <-a.halted:
			default:
				t.Error("nobody is told")
			}
			if next := a.Apply(entry(t, 3, poll("").Payload)).(applied); next.err == nil || a.store.State() != before {
				t.Error("the node went on")
			}
			if _, err := a.Snapshot(); err == nil {
				t.Error("a halted node made a snapshot: it would claim what was not applied")
			}
		})
	}
}

// A batch is published once. Configurations in it are raft's own; what follows
// a poison entry is not executed (I11).
func TestBatchIsPublishedOnce(t *testing.T) {
	a := initialised(t)
	woken := a.store.Changed()
	poison := entry(t, 5, &pb.Payload{})
	configuration := &raft.Log{Index: 3, Term: 1, Type: raft.LogConfiguration, Data: []byte("raft's own")}
	answers := a.ApplyBatch([]*raft.Log{
		entry(t, 2, poll("").Payload), configuration, entry(t, 4, poll("").Payload), poison, entry(t, 6, poll("").Payload),
	})
	for i, wantErr := range map[int]bool{0: false, 2: false, 3: true, 4: true} {
		if got := answers[i].(applied); (got.err != nil) != wantErr {
			t.Errorf("answer %d: %v", i, got.err)
		}
	}
	if answers[1] != nil {
		t.Errorf("a configuration was executed: %v", answers[1])
	}
	select {
	case <-woken:
	default:
		t.Error("nobody is woken")
	}
	if index := a.store.State().Index(); index != 4 {
		t.Errorf("the state is that of %d", index)
	}
	for index := uint64(2); index <= 4; index += 2 {
		if _, known := a.hashes.at(index); !known {
			t.Errorf("the hash at %d is not known to peers that ask", index)
		}
	}
	unchanged := a.store.Changed()
	a.ApplyBatch([]*raft.Log{configuration})
	select {
	case <-unchanged:
		t.Error("woken by nothing")
	default:
	}
}

type sink struct {
	bytes.Buffer
	closed, cancelled bool
}

func (*sink) ID() string      { return "sink" }
func (s *sink) Close() error  { s.closed = true; return nil }
func (s *sink) Cancel() error { s.cancelled = true; return nil }

func TestSnapshotIsOfItsMoment(t *testing.T) {
	a := initialised(t)
	captured, err := a.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	hash := a.store.State().Hash()
	a.Apply(entry(t, 2, poll("").Payload))
	var s sink
	if err := captured.Persist(&s); err != nil || !s.closed {
		t.Fatalf("%v, closed: %v", err, s.closed)
	}
	captured.Release()
	b := newAdapter(fsm.NewStore(fsm.New()))
	if err := b.Restore(io.NopCloser(&s.Buffer)); err != nil {
		t.Fatal(err)
	}
	if b.store.State().Hash() != hash { // I11
		t.Error("the restored state is another")
	}
	if err := b.Restore(io.NopCloser(strings.NewReader("garbage"))); err == nil || b.store.State().Hash() != hash {
		t.Errorf("garbage was restored: %v", err)
	}
}

type brokenSink struct{ sink }

func (*brokenSink) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestSnapshotOnAFullDisk(t *testing.T) {
	captured, err := initialised(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s := &brokenSink{}
	if err := captured.Persist(s); err == nil || !s.cancelled {
		t.Errorf("%v, cancelled: %v", err, s.cancelled)
	}
}

func TestPanicHalts(t *testing.T) {
	work := func() (err error) {
		defer recoverFatal(7, &err)
		panic("broken invariant")
	}
	var fatal *fsm.FatalError
	if err := work(); !errors.As(err, &fatal) || fatal.Index != 7 || !strings.Contains(fatal.Reason, "broken invariant") {
		t.Errorf("%v", err)
	}
}
