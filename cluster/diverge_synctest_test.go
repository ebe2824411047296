package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// diverge gives a node another state at the same index, as a flipped bit in memory would.
func (m *machine) diverge() {
	m.lab.t.Helper()
	for n := range 20 {
		if m.tryDiverge(fmt.Sprintf("next %d", n)) {
			return
		}
	}
	m.lab.t.Fatal("something else always came between")
}

// tryDiverge fails if another entry than its own came next, such as one that the cluster proposes for itself.
func (m *machine) tryDiverge(next string) bool {
	m.lab.t.Helper()
	state := m.node.Store().State()
	data, err := fsm.Encode(fsm.Header{RequestID: "rogue", IssuedAt: time.Now().UnixMilli(), ProposedAt: time.Now().UnixMilli()},
		&pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{All: true, Reason: "nobody said so"}}})
	if err != nil {
		m.lab.t.Fatal(err)
	}
	// The cluster's next entry gets this index; here something else is there then.
	rogue, _, err := fsm.Apply(state, fsm.Entry{Index: state.Index() + 1, Term: state.Meta().Term, Data: data})
	if err != nil {
		m.lab.t.Fatal(err)
	}
	index := m.lab.leader().mustPropose(next).Index
	m.lab.eventually(5*time.Second, "all have it", func() bool { return m.node.Store().State().Index() >= index })
	if index != rogue.Index() || m.node.Store().State().Index() != index {
		return false
	}
	m.node.Store().Replace(rogue)
	m.node.adapter.hashes.reset(rogue)
	return true
}

// I11: the minority takes itself out, says why, and is in step again after a restart; the others go on.
func TestI11MinorityQuarantinesItself(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		odd := l.followers()[0]
		before := odd.node.Incarnation()
		odd.diverge()
		var err error
		l.eventually(time.Minute, "the odd one ends", func() bool {
			select {
			case err = <-odd.done:
				return true
			default:
				return false
			}
		})
		odd.cancel = nil
		if !errors.Is(err, ErrDiverged) {
			t.Fatalf("it ended with %v", err)
		}
		l.awaitLeader().mustPropose("the others go on")
		if content, err := os.ReadFile(filepath.Join(odd.cfg.DataDirectory, quarantineMark)); err != nil || len(content) == 0 {
			t.Fatalf("%q, %v", content, err)
		}
		odd.start()
		l.settle(odd)
		if odd.node.Incarnation() == before {
			t.Error("it came back as the same incarnation")
		}
		l.eventually(time.Minute, "it votes again", func() bool { return l.awaitLeader().suffrage(odd.cfg.NodeID) == "voter" })
		leader := l.awaitLeader()
		l.eventually(10*time.Second, "the states are equal", func() bool {
			a, b := leader.node.Store().State(), odd.node.Store().State()
			return a.Index() == b.Index() && a.Hash() == b.Hash()
		})
		if _, err := os.Stat(filepath.Join(odd.cfg.DataDirectory, quarantineFolder, logFile)); err != nil {
			t.Errorf("what was set aside is not there: %v", err)
		}
	})
}

// Nobody acts without a majority against it.
func TestNoVerdictWithoutMajority(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		fs := l.followers()
		gone, odd := fs[0], fs[1]
		gone.kill()
		l.settle(odd)
		odd.diverge()
		time.Sleep(2 * time.Minute)
		select {
		case err := <-odd.done:
			t.Fatalf("it ended: %v", err)
		default:
		}
	})
}
