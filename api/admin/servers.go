package admin

import (
	"context"
	"encoding/hex"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// inspectionTime bounds how long GetStatus waits for the answers of other nodes.
const inspectionTime = 500 * time.Millisecond

// servers describes every member of the raft configuration: as the cluster has
// recorded it, and as it says itself where it can be asked.
func (s *clusters) servers(ctx context.Context, state *fsm.State, status Status) []*pb.Server {
	answers := s.inspect(ctx, status)
	compared := s.comparison(answers, status)
	messages := make([]*pb.Server, len(status.Servers))
	for i, member := range status.Servers {
		v := serverView{member: member, node: state.Node(member.ID), state: state, status: status, differs: compared.of(member.ID)}
		v.asked, v.answer = s.Nodes != nil && member.ID != status.NodeID, answers[member.ID]
		messages[i] = v.message()
	}
	return messages
}

// inspect asks all nodes at once, this one too.
func (s *clusters) inspect(ctx context.Context, status Status) map[string]*pb.GetNodeStatusResponse {
	if s.Nodes == nil {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, inspectionTime)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	answers := make(map[string]*pb.GetNodeStatusResponse, len(status.Servers))
	for _, member := range status.Servers {
		asking.Go(func() {
			answer, err := s.Nodes.NodeStatus(bounded, member.ID)
			if err != nil {
				s.Logger.Debug("node did not answer", "node_id", member.ID, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			answers[member.ID] = answer
		})
	}
	asking.Wait()
	return answers
}

// serverView is what is known of one member.
type serverView struct {
	member RaftServer
	// node is its replicated status; nil if it was never recorded.
	node   *fsm.Node
	state  *fsm.State
	status Status
	// asked: it was asked now; answer is nil if it did not answer.
	asked  bool
	answer *pb.GetNodeStatusResponse
	// differs says in what its own settings and clock are not those of the others.
	differs []string
}

func (v serverView) message() *pb.Server {
	m := &pb.Server{
		Id: v.member.ID, RaftAddress: v.member.RaftAddress, Voter: v.member.Voter,
		Leader: v.member.ID == v.status.LeaderID,
	}
	if n := v.node; n != nil {
		m.GrpcAddress, m.HttpAddress, m.GossipAddress = n.GRPCAddress, n.HTTPAddress, n.GossipAddress
		m.Version, m.Incarnation, m.Format = n.Version, n.Incarnation, n.Format
		for _, served := range n.Serves {
			m.Serves = append(m.Serves, servedBy(n, served.Environment))
		}
	}
	if a := v.answer; a != nil {
		m.AppliedIndex, m.StateHash = a.GetAppliedIndex(), hex.EncodeToString(a.GetStateHash())
		m.Version, m.Incarnation, m.Format = a.GetVersion(), a.GetIncarnation(), a.GetFormat()
	}
	if v.member.ID == v.status.NodeID {
		m.AppliedIndex, m.StateHash = v.state.Index(), hash(v.state.Hash())
	}
	m.Backup, m.StartedMs, m.Warnings = v.answer.GetBackup(), v.answer.GetStartedMs(), v.answer.GetWarnings()
	m.Notices, m.OverruledKeys = v.notices(), v.overruled()
	m.Healthy = len(m.Notices) == 0
	return m
}
