package cluster

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/internal/failpoint"
	"github.com/honua-io/honua-gitops/internal/planted"
)

// applied is what an entry came to on this node.
type applied struct {
	result fsm.Result
	err    error
}

// adapter feeds raft's committed entries to the state machine. After an entry
// that cannot be applied it takes nothing more: a node that skipped one would
// differ from the others without anyone noticing.
type adapter struct {
	store *fsm.Store
	// skips is set before raft is started.
	skips skips
	// planted: this node is the one that shows a planted defect.
	planted bool
	hashes  stateHashes

	mu     sync.Mutex
	fatal  error
	halted chan struct{}
}

func newAdapter(store *fsm.Store) *adapter {
	return &adapter{store: store, halted: make(chan struct{})}
}

// Apply executes one committed entry.
func (a *adapter) Apply(log *raft.Log) any { return a.ApplyBatch([]*raft.Log{log})[0] }

// ApplyBatch executes committed entries, one after the other, and publishes the
// state after the last: whoever watches is woken once, not for each. Raft sends
// configurations too, which are not the state machine's.
func (a *adapter) ApplyBatch(logs []*raft.Log) []any {
	before := a.store.State()
	state, answers := before, make([]any, len(logs))
	for i, log := range logs {
		if log.Type == raft.LogCommand {
			state, answers[i] = a.next(state, log)
		}
	}
	if state != before {
		a.store.Replace(state)
	}
	return answers
}

// next is the state after an entry; the same where the node is halted or halts.
func (a *adapter) next(state *fsm.State, log *raft.Log) (*fsm.State, applied) {
	if err := a.failure(); err != nil {
		return state, applied{err: err}
	}
	if !intact(log) {
		err := &fsm.FatalError{Index: log.Index, Reason: "its checksum does not match: the log of this node is damaged"}
		return state, applied{err: a.halt(err)}
	}
	if result, ok := a.skips.skipped(log); ok {
		return state, applied{result: result}
	}
	if planted.On(planted.LoseEntry) && a.planted && log.Index%97 == 0 {
		return state, applied{}
	}
	next, result, err := execute(state, fsm.Entry{Index: log.Index, Term: log.Term, Data: log.Data})
	if err != nil {
		return state, applied{err: a.halt(fmt.Errorf("%w (the entry is %d:%s)", err, log.Index, entryDigest(log.Data)))}
	}
	a.hashes.note(next)
	return next, applied{result: result}
}

func execute(state *fsm.State, entry fsm.Entry) (next *fsm.State, result fsm.Result, err error) {
	defer recoverFatal(entry.Index, &err)
	return fsm.Apply(state, entry)
}

// rehearse executes an entry on the state as it is and forgets the outcome. An
// error is one that would have halted every node.
func rehearse(state *fsm.State, term uint64, data []byte) (err error) {
	entry := fsm.Entry{Index: state.Index() + 1, Term: term, Data: data}
	defer recoverFatal(entry.Index, &err)
	return fsm.Rehearse(state, entry)
}

// recoverFatal turns a panic of the state machine into an error that halts.
func recoverFatal(index uint64, err *error) {
	if cause := recover(); cause != nil {
		*err = &fsm.FatalError{Index: index, Reason: fmt.Sprintf("the state machine panicked: %v\n%s", cause, debug.Stack())}
	}
}

// Snapshot captures the state, which is immutable.
func (a *adapter) Snapshot() (raft.FSMSnapshot, error) {
	// Raft counts entries as applied that a halted node refused: a snapshot
	// would claim an index that its state does not have.
	if err := a.failure(); err != nil {
		return nil, err
	}
	return snapshot{a.store.State()}, nil
}

// Restore replaces the state by a snapshot's. Nearly everything that reading
// it allocates stays: collecting garbage meanwhile would take a third of the
// time for a tenth of the memory.
func (a *adapter) Restore(source io.ReadCloser) error {
	collecting.pause()
	defer collecting.resume()
	state, err := fsm.ReadSnapshot(source)
	if err = errors.Join(err, source.Close()); err != nil {
		if errors.Is(err, fsm.ErrSnapshotFormat) {
			return a.halt(err) // another attempt would bring the same one
		}
		return err
	}
	a.store.Replace(state)
	a.hashes.reset(state)
	return nil
}

func (a *adapter) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fatal
}

// halt remembers the first reason and tells whoever runs the node.
func (a *adapter) halt(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fatal == nil {
		a.fatal = fmt.Errorf("%w: %w", ErrHalted, err)
		close(a.halted)
	}
	return a.fatal
}

type snapshot struct{ state *fsm.State }

// Persist streams the state.
func (s snapshot) Persist(sink raft.SnapshotSink) error {
	if err := fsm.WriteSnapshot(sink, s.state); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	failpoint.Reach(failpoint.BeforeSnapshotRename)
	err := sink.Close()
	failpoint.Reach(failpoint.AfterSnapshotRename)
	return err
}

// Release has nothing to release.
func (snapshot) Release() {}
