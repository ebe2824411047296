package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestSpeaks(t *testing.T) {
	for _, test := range []struct {
		inForce, newest, oldest uint32
		word                    string
	}{
		{1, 1, 1, ""}, {1, 2, 1, ""}, {2, 2, 1, ""}, {1, 0, 0, ""},
		{2, 1, 1, "knows up to 1"}, {2, 0, 0, "knows up to 1"}, {1, 3, 2, "knows 2 and later"},
	} {
		err := speaks(test.inForce, test.newest, test.oldest)
		if (err == nil) != (test.word == "") || err != nil && (!errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), test.word)) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// A node whose build is too old for the format in force is not admitted, and says why.
func TestOldBuildIsNotAdmitted(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		join := func(newest, oldest uint32) error {
			r := leader.node.joinRequest()
			r.NodeId, r.Incarnation, r.RaftAddress, r.Format, r.OldestFormat = "late", "late1", "10.0.0.9:7701", newest, oldest
			return leader.node.checkJoin(r)
		}
		if err := join(fsm.FormatVersion, fsm.OldestFormat); err != nil {
			l.t.Error(err)
		}
		if err := join(9, 9); !errors.Is(err, ErrFormat) {
			l.t.Errorf("a build that dropped the format: %v", err)
		}
	})
}

// Commands of a format that is not in force, and of kinds that nobody knows, never enter the log: no node halts.
func TestLaterCommandsNeverSplitTheCluster(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		l.awaitLeader()
		unknown := &pb.Payload{}
		unknown.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 0x00}) // field 1023: of a later build
		pause := &pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{All: true, Reason: "r"}}}
		for _, m := range ms {
			for _, c := range []struct {
				format  uint32
				payload *pb.Payload
			}{{fsm.FirstFormat, unknown}, {fsm.FirstFormat + 1, pause}, {fsm.FormatVersion + 1, pause}} {
				data, err := fsm.Encode(fsm.Header{
					Format: c.format, RequestID: newUUID(), IssuedAt: time.Now().UnixMilli(), ProposedAt: time.Now().UnixMilli(),
				}, c.payload)
				if err != nil {
					l.t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(l.t.Context(), time.Second)
				_, err = m.node.attempt(ctx, data)
				cancel()
				if !errors.Is(err, ErrUnapplicable) {
					l.t.Errorf("%s, format %d: %v", m.cfg.NodeID, c.format, err)
				}
			}
		}
		for _, m := range ms {
			if err := m.node.adapter.failure(); err != nil {
				l.t.Error(err)
			}
		}
	})
}

// A snapshot of a later format ends the node: each attempt would bring the same one.
func TestLaterSnapshotHalts(t *testing.T) {
	var later bytes.Buffer
	if err := fsm.WriteSnapshot(&later, fsm.New()); err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(later.Bytes()[8:], 99)
	a := newAdapter(fsm.NewStore(fsm.New()))
	if err := a.Restore(io.NopCloser(&later)); !errors.Is(err, fsm.ErrSnapshotFormat) || !errors.Is(err, ErrHalted) {
		t.Fatalf("it says %v", err)
	}
	if a.failure() == nil {
		t.Fatal("it did not halt")
	}
}
