package check

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/test/chaos/history"
)

// logs compares what the nodes have in raft's log: up to what is committed they have the same (I11), and each term had
// one leader (I15). Nobody crashed.
func logs(v *Verdict, e *Evidence) {
	for i := uint64(1); i <= e.Committed; i++ {
		var first *Node
		for _, n := range e.Nodes {
			entry, ok := n.Log[i]
			if !ok {
				continue
			}
			if first == nil {
				first = n
				continue
			}
			if other := first.Log[i]; entry.Term != other.Term || entry.Sum != other.Sum || entry.Type != other.Type {
				v.fail("I11", "entry %d is of term %d at %s and of term %d at %s", i, other.Term, first.ID, entry.Term, n.ID)
			}
		}
	}
	won := regexp.MustCompile(`leadership won\b.*\bterm=(\d+)`)
	leaders := map[uint64]string{}
	for _, n := range e.Nodes {
		err := n.scan(func(line []byte) {
			if match := won.FindSubmatch(line); match != nil {
				term, _ := strconv.ParseUint(string(match[1]), 10, 64)
				if other := leaders[term]; other != "" && other != n.ID {
					v.fail("I15", "%s and %s both led term %d", other, n.ID, term)
				}
				leaders[term] = n.ID
			}
			if bytes.HasPrefix(line, []byte("panic:")) || bytes.HasPrefix(line, []byte("fatal error:")) || bytes.Contains(line, []byte("this node has halted")) {
				v.fail("crash", "%s: %s", n.ID, bytes.TrimSpace(line))
			}
		})
		if err != nil {
			v.fail("history", "%s: %v", n.ID, err)
		}
	}
	v.Elections = len(leaders)
}

// hashes is I11: at the index at which the round ended every node had the same state, and snapshot and log of each lead
// there again.
func hashes(v *Verdict, e *Evidence) {
	for _, end := range e.Round.Ends {
		if end.Hash != e.Round.Ends[0].Hash {
			v.fail("I11", "at index %d %s has the state %.8s and %s %.8s", end.Index, e.Round.Ends[0].Node, e.Round.Ends[0].Hash, end.Node, end.Hash)
		}
		n := e.node(end.Node)
		if n == nil {
			v.fail("history", "%s is unknown", end.Node)
			continue
		}
		if n.Ended != "" && n.Ended != end.Hash {
			v.fail("I11", "%s said its state at index %d was %.8s, its files lead to %.8s", n.ID, end.Index, end.Hash, n.Ended)
		}
	}
	newest := e.State()
	for _, n := range e.Nodes {
		if n.State.Index() == newest.Index() && n.State.Hash() != newest.Hash() {
			v.fail("I11", "the files of two nodes lead to different states at index %d", newest.Index())
		}
	}
}

func (e *Evidence) node(id string) *Node {
	for _, n := range e.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// audits is I16: the chain is whole, and goes with the log.
func audits(v *Verdict, e *Evidence) {
	for _, n := range e.Nodes {
		if found := fsm.VerifyAudit(n.State); !found.Intact {
			v.fail("I16", "%s: the audit chain is broken at record %d", n.ID, found.BrokenAt)
		}
		var last uint64
		for r := range n.State.Audit(0) {
			if r.Index < last {
				v.fail("I16", "%s: record %d is of index %d, after one of index %d", n.ID, r.Sequence, r.Index, last)
			}
			last = r.Index
			if entry, ok := n.Log[r.Index]; ok && entry.Type != raft.LogCommand {
				v.fail("I16", "%s: record %d is of entry %d, which is no command", n.ID, r.Sequence, r.Index)
			}
		}
	}
}

func byReturn(calls []history.Call) []history.Call {
	return slices.SortedFunc(slices.Values(calls), func(a, b history.Call) int { return int(a.Returned - b.Returned) })
}

func byCall(calls []history.Call) []history.Call {
	return slices.SortedFunc(slices.Values(calls), func(a, b history.Call) int { return int(a.Called - b.Called) })
}
