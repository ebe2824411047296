package cluster

import (
	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/internal/failpoint"
	"github.com/honua-io/honua-gitops/internal/planted"
)

// stable is where raft keeps its term and its vote. Builds for the chaos tests put windows around the vote.
func stable(store raft.StableStore) raft.StableStore {
	if failpoint.Enabled {
		return voteWindows{store}
	}
	return store
}

// voteWindows are windows around what a node stores of its vote.
type voteWindows struct{ raft.StableStore }

// Set stores a value.
func (v voteWindows) Set(key, value []byte) error {
	if string(key) != candidateKey { // the last thing that raft stores before it answers
		return v.StableStore.Set(key, value)
	}
	if planted.On(planted.ForgetVote) {
		return nil
	}
	failpoint.Reach(failpoint.BeforeVote)
	err := v.StableStore.Set(key, value)
	failpoint.Reach(failpoint.AfterVote)
	return err
}
