package view

import (
	"slices"
	"strings"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// ClusterStatus is the answer of `cluster status`.
type ClusterStatus struct {
	LeaderID       string `json:"leaderId"`
	Term           uint64 `json:"term"`
	Quorum         uint32 `json:"quorum"`
	HasQuorum      bool   `json:"hasQuorum"`
	ClusterID      string `json:"clusterId"`
	Epoch          uint64 `json:"epoch"`
	AppliedIndex   uint64 `json:"appliedIndex"`
	NodeID         string `json:"nodeId"`
	SettingsDigest string `json:"settingsDigest"`
	// Format is the one in force.
	Format  uint32   `json:"format"`
	Servers []Server `json:"servers"`
}

// Founded reports whether the node that answered belongs to a cluster: it knows of voters.
func (s ClusterStatus) Founded() bool { return len(s.Servers) > 0 }

// Led reports whether somebody leads a majority: without, nothing can be changed.
func (s ClusterStatus) Led() bool { return s.LeaderID != "" && s.HasQuorum }

// Server is one node of the raft configuration.
type Server struct {
	ID            string `json:"id"`
	RaftAddress   string `json:"raftAddress"`
	GRPCAddress   string `json:"grpcAddress"`
	HTTPAddress   string `json:"httpAddress"`
	GossipAddress string `json:"gossipAddress"`
	Voter         bool   `json:"voter"`
	Leader        bool   `json:"leader"`
	Healthy       bool   `json:"healthy"`
	AppliedIndex  uint64 `json:"appliedIndex"`
	Version       string `json:"version"`
	// Format is the newest that its build knows; 0 if it was not heard yet.
	Format      uint32   `json:"format"`
	Incarnation string   `json:"incarnation"`
	StateHash   string   `json:"stateHash"`
	Notices     []string `json:"notices"`
	Serves      []Served `json:"serves"`
	// Backup is nil where none are configured, and for a node that does not answer.
	Backup *Backup `json:"backup"`
	// Started is when its process began; nil for a node that does not answer.
	Started *Time `json:"started"`
	// OverruledKeys are those of its settings file that `settings apply` has overruled.
	OverruledKeys []string `json:"overruledKeys"`
	// Warnings are what is wrong with it and takes nothing from what it serves.
	Warnings []string `json:"warnings"`
}

// Backup is how the scheduled backups of a node are doing.
type Backup struct {
	Directory       string  `json:"directory"`
	IntervalSeconds float64 `json:"intervalSeconds"`
	// LastSuccess is when the newest backup was made; nil if there is none.
	LastSuccess *Time  `json:"lastSuccess"`
	Error       string `json:"error"`
}

// Member is a node as gossip sees it.
type Member struct {
	ID          string `json:"id"`
	Address     string `json:"address"`
	Status      string `json:"status"`
	RaftAddress string `json:"raftAddress"`
	GRPCAddress string `json:"grpcAddress"`
	HTTPAddress string `json:"httpAddress"`
	Voter       bool   `json:"voter"`
	Version     string `json:"version"`
}

// MemberList is the answer of `cluster members`.
type MemberList struct {
	Members []Member `json:"members"`
}

// NewClusterStatus converts a status; servers are sorted by id.
func NewClusterStatus(s *pb.GetStatusResponse) ClusterStatus {
	status := ClusterStatus{
		LeaderID: s.GetLeaderId(), Term: s.GetTerm(), Quorum: s.GetQuorum(), HasQuorum: s.GetHasQuorum(),
		ClusterID: s.GetClusterId(), Epoch: s.GetEpoch(), AppliedIndex: s.GetAppliedIndex(), NodeID: s.GetNodeId(),
		SettingsDigest: s.GetSettingsDigest(), Format: s.GetFormat(), Servers: each(s.GetServers(), newServer),
	}
	slices.SortStableFunc(status.Servers, func(a, b Server) int { return strings.Compare(a.ID, b.ID) })
	return status
}

// NewMemberList converts a list.
func NewMemberList(list []*pb.Member) MemberList {
	return MemberList{Members: each(list, func(m *pb.Member) Member {
		return Member{
			ID: m.GetId(), Address: m.GetAddress(), Status: m.GetStatus(), RaftAddress: m.GetRaftAddress(),
			GRPCAddress: m.GetGrpcAddress(), HTTPAddress: m.GetHttpAddress(), Voter: m.GetVoter(), Version: m.GetVersion(),
		}
	})}
}

func newServer(s *pb.Server) Server {
	return Server{
		ID: s.GetId(), RaftAddress: s.GetRaftAddress(), GRPCAddress: s.GetGrpcAddress(), HTTPAddress: s.GetHttpAddress(),
		GossipAddress: s.GetGossipAddress(), Voter: s.GetVoter(), Leader: s.GetLeader(), Healthy: s.GetHealthy(),
		AppliedIndex: s.GetAppliedIndex(), Version: s.GetVersion(), Format: s.GetFormat(), Incarnation: s.GetIncarnation(),
		StateHash: s.GetStateHash(), Notices: texts(s.GetNotices()), Serves: each(s.GetServes(), newServed),
		Backup: newBackup(s.GetBackup()), Started: millisecond(s.GetStartedMs()),
		OverruledKeys: texts(s.GetOverruledKeys()), Warnings: texts(s.GetWarnings()),
	}
}

func newBackup(b *pb.BackupStatus) *Backup {
	if b == nil {
		return nil
	}
	return &Backup{
		Directory: b.GetDirectory(), IntervalSeconds: float64(b.GetIntervalMs()) / 1000,
		LastSuccess: millisecond(b.GetLastSuccessMs()), Error: b.GetError(),
	}
}

// millisecond is a time in Unix milliseconds; 0 is none.
func millisecond(ms int64) *Time {
	if ms == 0 {
		return nil
	}
	return &Time{time.UnixMilli(ms).UTC()}
}
