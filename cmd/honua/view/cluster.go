package view

import (
	"slices"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// ClusterStatus is the answer of `cluster status`.
type ClusterStatus struct {
	LeaderID       string   `json:"leaderId"`
	Term           uint64   `json:"term"`
	Quorum         uint32   `json:"quorum"`
	HasQuorum      bool     `json:"hasQuorum"`
	ClusterID      string   `json:"clusterId"`
	Epoch          uint64   `json:"epoch"`
	AppliedIndex   uint64   `json:"appliedIndex"`
	NodeID         string   `json:"nodeId"`
	SettingsDigest string   `json:"settingsDigest"`
	Servers        []Server `json:"servers"`
}

// Server is one node of the raft configuration.
type Server struct {
	ID            string   `json:"id"`
	RaftAddress   string   `json:"raftAddress"`
	GRPCAddress   string   `json:"grpcAddress"`
	HTTPAddress   string   `json:"httpAddress"`
	GossipAddress string   `json:"gossipAddress"`
	Voter         bool     `json:"voter"`
	Leader        bool     `json:"leader"`
	Healthy       bool     `json:"healthy"`
	AppliedIndex  uint64   `json:"appliedIndex"`
	Version       string   `json:"version"`
	Incarnation   string   `json:"incarnation"`
	StateHash     string   `json:"stateHash"`
	Notices       []string `json:"notices"`
	Serves        []Served `json:"serves"`
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
		SettingsDigest: s.GetSettingsDigest(), Servers: each(s.GetServers(), newServer),
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
		AppliedIndex: s.GetAppliedIndex(), Version: s.GetVersion(), Incarnation: s.GetIncarnation(),
		StateHash: s.GetStateHash(), Notices: texts(s.GetNotices()), Serves: each(s.GetServes(), newServed),
	}
}
