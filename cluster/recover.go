package cluster

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/fsm"
)

// Recovery is what there is in the data directory of a node that does not run,
// and what recovering from it makes of it.
type Recovery struct {
	NodeID, DataDirectory string
	ClusterID             string
	// LastIndex and LastTerm are of the newest entry of its log.
	LastIndex, LastTerm uint64
	// AppliedIndex and StateHash are of the state that the log leads to.
	AppliedIndex uint64
	StateHash    [32]byte
	// Before are the servers of the configuration as it is.
	Before []Server
}

// recoveryConfig is raft's, for work without a network.
func recoveryConfig(nodeID string, log *slog.Logger) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(nodeID)
	c.Logger = raftLogger(log)
	return c
}

// PlanRecovery reads what a recovery would go on from; it changes nothing. The
// node must not run.
func PlanRecovery(nodeID, directory string, log *slog.Logger) (Recovery, error) {
	plan := Recovery{NodeID: nodeID, DataDirectory: directory}
	return plan, offline(directory, log, func(disk *storage, a *adapter) error {
		_, transport := raft.NewInmemTransport("")
		configuration, err := raft.GetConfiguration(recoveryConfig(nodeID, log), a, disk.log, disk.votes, disk.snapshots, transport)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDataDirectory, err)
		}
		for _, s := range configuration.Servers {
			plan.Before = append(plan.Before, Server{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter})
		}
		if plan.LastIndex, err = disk.log.LastIndex(); err != nil {
			return err
		}
		var last raft.Log
		if err := disk.log.GetLog(plan.LastIndex, &last); err == nil {
			plan.LastTerm = last.Term
		}
		who, err := openIdentity(directory, disk.hasState)
		if err != nil {
			return err
		}
		plan.ClusterID = who.get().ClusterID
		return nil
	})
}

// Recover makes a node that does not run the only member of its cluster, with
// everything that its log holds, committed or not. The other nodes must never
// run again on the data directories that they have: they would be a cluster of
// their own. Emptied, they join this one.
func Recover(nodeID, directory, raftAddress string, log *slog.Logger) (Recovery, error) {
	done := Recovery{NodeID: nodeID, DataDirectory: directory}
	return done, offline(directory, log, func(disk *storage, a *adapter) error {
		_, transport := raft.NewInmemTransport("")
		alone := raft.Configuration{Servers: []raft.Server{{ID: raft.ServerID(nodeID), Address: raft.ServerAddress(raftAddress)}}}
		err := raft.RecoverCluster(recoveryConfig(nodeID, log), a, disk.log, disk.votes, disk.snapshots, transport, alone)
		if err = errors.Join(err, a.failure()); err != nil {
			return fmt.Errorf("%w: %w", ErrDataDirectory, err)
		}
		state := a.store.State()
		done.ClusterID, done.AppliedIndex, done.StateHash = state.Meta().ClusterID, state.Index(), state.Hash()
		return nil
	})
}

// offline opens a data directory that took part in a cluster and that no
// process uses.
func offline(directory string, log *slog.Logger, work func(*storage, *adapter) error) error {
	disk, err := openStorage(directory, log, nil)
	if err != nil {
		return err
	}
	if !disk.hasState {
		return errors.Join(fmt.Errorf("%w: %s holds no raft state: there is nothing to recover", ErrDataDirectory, directory), disk.close())
	}
	a := newAdapter(fsm.NewStore(fsm.New()))
	if a.skips, err = readSkips(directory); err != nil {
		return errors.Join(err, disk.close())
	}
	return errors.Join(work(disk, a), disk.close())
}
