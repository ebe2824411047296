package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// I8: a read sees everything that was acknowledged before it, at any node.
func TestReadsSeeWhatWasAcknowledged(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		for i := range 60 {
			written := ms[i%3].mustPropose(fmt.Sprintf("write-%d", i))
			state, err := ms[(i+1)%3].linear(time.Second)
			if err != nil {
				l.t.Fatal(err)
			}
			if state.Index() < written.Index {
				l.t.Fatalf("I8: the read is of index %d, the write of %d", state.Index(), written.Index)
			}
		}
	})
}

func TestReadsShareRounds(t *testing.T) {
	bubble(t, func(l *lab) {
		l.three()
		leader := l.awaitLeader()
		rounds := 0
		var r reads
		exchange := leader.node.verifiedIndex
		var wait sync.WaitGroup
		for range 200 {
			wait.Go(func() {
				_, err := r.join(l.t.Context(), leader.node, func(ctx context.Context) (uint64, error) {
					rounds++ // rounds never overlap
					time.Sleep(time.Millisecond)
					return exchange(ctx)
				})
				if err != nil {
					l.t.Error(err)
				}
			})
		}
		wait.Wait()
		if rounds > 3 {
			l.t.Errorf("200 reads at once took %d rounds", rounds)
		}
	})
}

func TestReadsWhileTheLeaderChanges(t *testing.T) {
	bubble(t, func(l *lab) {
		ms := l.three()
		for i := range 10 {
			written := ms[i%3].mustPropose(fmt.Sprintf("write-%d", i))
			if err := ms[0].node.Transfer(l.t.Context(), nil, ""); err != nil && !errors.Is(err, ErrUnknownOutcome) {
				l.t.Fatal(err)
			}
			state, err := ms[(i+1)%3].linear(3 * time.Second)
			if err != nil || state.Index() < written.Index {
				l.t.Fatalf("I8: %v, read %d, written %d", err, state.Index(), written.Index)
			}
		}
	})
}

// kinds is a log of entries of types; index 1 is the first.
type kinds []raft.LogType

func (k kinds) GetLog(index uint64, log *raft.Log) error {
	if index == 0 || index > uint64(len(k)) || k[index-1] == gap {
		return raft.ErrLogNotFound
	}
	log.Type = k[index-1]
	return nil
}

func (kinds) FirstIndex() (uint64, error)      { return 1, nil }
func (k kinds) LastIndex() (uint64, error)     { return uint64(len(k)), nil }
func (kinds) StoreLog(*raft.Log) error         { return errors.ErrUnsupported }
func (kinds) StoreLogs([]*raft.Log) error      { return errors.ErrUnsupported }
func (kinds) DeleteRange(uint64, uint64) error { return errors.ErrUnsupported }

const gap raft.LogType = 255

func TestNewestCommandBefore(t *testing.T) {
	const (
		command = raft.LogCommand
		other   = raft.LogNoop
	)
	for _, test := range []struct {
		name            string
		log             kinds
		applied, commit uint64
		want            uint64
	}{
		{"a command is the last", kinds{other, command}, 0, 2, 2},
		{"raft's own follow", kinds{other, command, other, other}, 0, 4, 2},
		{"all are applied", kinds{other, command, command, other}, 3, 4, 3},
		{"no command at all", kinds{other, other}, 0, 2, 0},
		{"compacted before it was looked at", kinds{gap, gap, gap, other}, 3, 4, 3},
		{"not all is committed", kinds{command, command, command}, 0, 2, 2},
	} {
		var scan commandScan
		for pass := range 2 { // the second is from memory
			got, err := scan.last(test.log, test.applied, test.commit)
			if err != nil || got != test.want {
				t.Errorf("%s, pass %d: %d, %v; want %d", test.name, pass, got, err, test.want)
			}
		}
	}
}
