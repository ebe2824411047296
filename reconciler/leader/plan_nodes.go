package leader

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// unavailableAfterMs is how long raft may not have heard of a node before the
// leader proposes that it is unavailable. Restarts of a process take less, so
// that they don't flap; a deployment waits no longer than this for a dead node.
const unavailableAfterMs = 2000

// planNodes keeps the replicated status of each member in line with what is
// seen of it.
func planNodes(in Inputs, d *Decisions) {
	for _, id := range in.Members {
		n := in.State.Node(id)
		if n == nil {
			continue
		}
		peer := in.Peers[id]
		if peer.SilentMs >= unavailableAfterMs {
			if n.Available {
				d.propose("node/"+id, observe(&pb.ObserveNode{NodeId: id, Incarnation: n.Incarnation}))
			}
			continue
		}
		if n.Available {
			d.wakeAt(in.Now + unavailableAfterMs - peer.SilentMs)
		}
		if peer.Status == nil || peer.Status.GetIncarnation() != n.Incarnation {
			continue
		}
		if !reported(n, peer.Status) {
			d.propose("node/"+id, observe(report(peer.Status)))
		}
	}
}

func observe(m *pb.ObserveNode) *pb.Payload {
	return &pb.Payload{Command: &pb.Payload_ObserveNode{ObserveNode: m}}
}

func report(s *pb.GetNodeStatusResponse) *pb.ObserveNode {
	m := &pb.ObserveNode{
		NodeId: s.GetNodeId(), Incarnation: s.GetIncarnation(), Available: true, Version: s.GetVersion(),
		SettingsDigest: s.GetSettingsDigest(), Format: s.GetFormat(),
		RaftAddress: s.GetRaftAddress(), GrpcAddress: s.GetGrpcAddress(),
		HttpAddress: s.GetHttpAddress(), GossipAddress: s.GetGossipAddress(),
	}
	for _, served := range s.GetServes() {
		m.Serves = append(m.Serves, &pb.ServedValue{
			Environment: served.GetEnvironment(), Epoch: served.GetEpoch(), ActivationIndex: served.GetActivationIndex(),
			Digest: served.GetDigest(), Healthy: served.GetHealthy(), Message: served.GetMessage(),
		})
	}
	return m
}

// reported: the state says the same already.
func reported(n *fsm.Node, s *pb.GetNodeStatusResponse) bool {
	if !n.Available || n.Version != s.GetVersion() || n.Format != s.GetFormat() || n.SettingsDigest != s.GetSettingsDigest() ||
		n.RaftAddress != s.GetRaftAddress() || n.GRPCAddress != s.GetGrpcAddress() || n.HTTPAddress != s.GetHttpAddress() ||
		n.GossipAddress != s.GetGossipAddress() {
		return false
	}
	for _, served := range s.GetServes() {
		if !n.Knows(fsm.Served{
			Environment: served.GetEnvironment(), Epoch: served.GetEpoch(), Index: served.GetActivationIndex(),
			Digest: served.GetDigest(), Healthy: served.GetHealthy(), Message: served.GetMessage(),
		}) {
			return false
		}
	}
	return true
}

// planSettings follows the voters' files once a majority of them says the same
// and something new.
func planSettings(in Inputs, d *Decisions) {
	supporters := map[string][]string{}
	content := map[string][]byte{}
	for _, id := range in.Voters {
		n := in.State.Node(id)
		if n == nil || n.SettingsDigest == "" || n.SettingsDigest == in.State.Settings().FileDigest {
			continue
		}
		supporters[n.SettingsDigest] = append(supporters[n.SettingsDigest], id)
		if s := in.Peers[id].Status; s.GetSettingsDigest() == n.SettingsDigest && len(s.GetSettings()) > 0 {
			content[n.SettingsDigest] = s.GetSettings()
		}
	}
	for _, digest := range slices.Sorted(maps.Keys(supporters)) {
		nodes := supporters[digest]
		settings := &pb.SettingsValue{}
		if len(nodes)*2 <= len(in.Voters) || proto.Unmarshal(content[digest], settings) != nil || len(settings.GetEnvironments()) == 0 {
			continue
		}
		d.propose("settings", &pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{
			Settings: settings, FileDigest: digest, Supporters: nodes, Reason: "the files of a majority of the voters say so",
		}}})
	}
}
