// Package check finds out from the files of a round, and from nothing else, whether the promises held.
package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// Node is what a node left.
type Node struct {
	ID      string
	Journal []node.Entry
	// Log are its entries by index, Last is the newest.
	Log  map[uint64]LogEntry
	Last uint64
	// State is where snapshot and log lead to, as this build of the state machine understands them, and Ended the
	// state's hash at the index at which the round ended; empty if it was not reached.
	State *fsm.State
	Ended string
	// LogFile is what it wrote over all its lives.
	LogFile string
}

// LogEntry is an entry of raft's log.
type LogEntry struct {
	Term uint64
	Type raft.LogType
	Data []byte
	Sum  [sha256.Size]byte
}

// Evidence is everything that a round left.
type Evidence struct {
	Dir    string
	Round  history.Round
	Calls  []history.Call
	Polls  []history.Poll
	Faults []history.Applied
	Nodes  []*Node
	// Committed is the newest index that a majority holds alike.
	Committed uint64
}

// State is the newest state that a node's files lead to.
func (e *Evidence) State() *fsm.State {
	newest := e.Nodes[0].State
	for _, n := range e.Nodes {
		if n.State.Index() > newest.Index() {
			newest = n.State
		}
	}
	return newest
}

// Load reads what a round left in a folder. The nodes must not run.
func Load(dir string) (*Evidence, error) {
	e := &Evidence{Dir: dir}
	var err error
	if e.Round, err = history.ReadRound(dir); err != nil {
		return nil, err
	}
	var errs [3]error
	e.Calls, errs[0] = history.Read[history.Call](filepath.Join(dir, history.CallsFile))
	e.Polls, errs[1] = history.Read[history.Poll](filepath.Join(dir, history.PollsFile))
	e.Faults, errs[2] = history.Read[history.Applied](filepath.Join(dir, history.FaultsFile))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	for _, name := range e.Round.Nodes {
		n, err := loadNode(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		e.Nodes = append(e.Nodes, n)
	}
	if len(e.Nodes) == 0 {
		return nil, errors.New("the round had no nodes")
	}
	e.Committed = e.committed()
	for _, n := range e.Nodes {
		if err := n.replay(filepath.Join(dir, e.Round.Nodes[e.index(n)]), e.Committed, e.end()); err != nil {
			return nil, fmt.Errorf("%s: %w", n.ID, err)
		}
	}
	return e, nil
}

func (e *Evidence) index(n *Node) int { return slices.Index(e.Nodes, n) }

// end is the index at which the round ended.
func (e *Evidence) end() uint64 {
	if len(e.Round.Ends) == 0 {
		return 0
	}
	return e.Round.Ends[0].Index
}

func loadNode(dir string) (*Node, error) {
	n := &Node{ID: filepath.Base(dir), LogFile: filepath.Join(dir, "honua.log"), Log: map[uint64]LogEntry{}}
	var err error
	if n.Journal, err = readJournal(filepath.Join(dir, "cluster", "journal.jsonl")); err != nil {
		return nil, err
	}
	store, err := raftboltdb.New(raftboltdb.Options{
		Path: filepath.Join(dir, "cluster", "raft.db"), BoltOptions: &bbolt.Options{ReadOnly: true, Timeout: time.Second},
		MsgpackUseNewTimeFormat: true,
	})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	first, err := store.FirstIndex()
	if err != nil {
		return nil, err
	}
	if n.Last, err = store.LastIndex(); err != nil {
		return nil, err
	}
	for i := first; i != 0 && i <= n.Last; i++ {
		var entry raft.Log
		if err := store.GetLog(i, &entry); errors.Is(err, raft.ErrLogNotFound) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("log entry %d: %w", i, err)
		}
		n.Log[i] = LogEntry{entry.Term, entry.Type, entry.Data, sha256.Sum256(entry.Data)}
	}
	return n, nil
}

func readJournal(path string) ([]node.Entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []node.Entry
	for line := range bytes.Lines(content) {
		entry, err := node.ParseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(entries)+1, err)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// committed is the newest index at which a majority of the nodes has the same entry.
func (e *Evidence) committed() uint64 {
	var newest uint64
	for _, n := range e.Nodes {
		newest = max(newest, n.Last)
	}
	for i := newest; i > 0; i-- {
		votes := map[string]int{}
		for _, n := range e.Nodes {
			if entry, ok := n.Log[i]; ok {
				key := fmt.Sprintf("%d %x", entry.Term, entry.Sum)
				if votes[key]++; votes[key] > len(e.Nodes)/2 {
					return i
				}
			}
		}
	}
	return 0
}

// replay applies what is committed to the newest snapshot.
func (n *Node) replay(dir string, committed, end uint64) error {
	n.State = fsm.New()
	if err := n.restore(filepath.Join(dir, "cluster")); err != nil {
		return err
	}
	for i := n.State.Index() + 1; i <= min(committed, n.Last); i++ {
		entry, ok := n.Log[i]
		if !ok || entry.Type != raft.LogCommand {
			continue
		}
		if i > end && n.Ended == "" {
			n.ended()
		}
		next, _, err := fsm.Apply(n.State, fsm.Entry{Index: i, Term: entry.Term, Data: entry.Data})
		if err != nil {
			return fmt.Errorf("entry %d cannot be applied: %w", i, err)
		}
		n.State = next
	}
	if n.Ended == "" && n.State.Index() <= end {
		n.ended()
	}
	return nil
}

func (n *Node) ended() {
	hash := n.State.Hash()
	n.Ended = hex.EncodeToString(hash[:])
}

func (n *Node) restore(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "snapshots")); err != nil {
		return nil //nolint:nilerr // there was never a snapshot
	}
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(dir, 2, hclog.NewNullLogger())
	if err != nil {
		return err
	}
	list, err := snapshots.List()
	if err != nil || len(list) == 0 {
		return err
	}
	_, content, err := snapshots.Open(list[0].ID)
	if err != nil {
		return err
	}
	n.State, err = fsm.ReadSnapshot(content)
	return errors.Join(err, content.Close())
}

// scan calls see with each line of a node's log.
func (n *Node) scan(see func(line []byte)) error {
	file, err := os.Open(n.LogFile)
	if err != nil {
		return err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	for line := range bytes.Lines(content) {
		see(line)
	}
	return err
}
