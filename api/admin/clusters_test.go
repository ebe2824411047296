package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// inspected answers for other nodes.
type inspected map[string]*pb.GetNodeStatusResponse

func (i inspected) NodeStatus(_ context.Context, id string) (*pb.GetNodeStatusResponse, error) {
	if answer := i[id]; answer != nil {
		return answer, nil
	}
	return nil, errors.New("connection refused")
}

func (i inspected) InspectDrift(_ context.Context, id, environment string) (*pb.InspectDriftResponse, error) {
	if i[id] == nil {
		return nil, errors.New("connection refused")
	}
	return &pb.InspectDriftResponse{NodeId: id, ActivationIndex: 1, Digest: "d-" + environment, Findings: []*pb.DriftFinding{
		{Kind: "source", Object: "roads", Message: "the table is gone"},
	}}, nil
}

func TestStatusOfTheCluster(t *testing.T) {
	nodes := inspected{"n2": {NodeId: "n2", Incarnation: "i2", Version: "v2", AppliedIndex: 7, StateHash: []byte{0xab}}}
	a := serve(t, func(c *Config) { c.Nodes = nodes })
	a.node.Deploy("roads")
	for _, id := range []string{"n2", "n3"} {
		a.node.Lead(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{NodeId: id, Incarnation: "i2", Voter: true}}})
	}
	a.node.Lead(&pb.Payload{Command: &pb.Payload_ObserveNode{ObserveNode: &pb.ObserveNode{NodeId: "n3", Incarnation: "i2"}}})
	a.node.status.Servers = []RaftServer{{ID: "n1", Voter: true}, {ID: "n2", Voter: true}, {ID: "n3", Voter: true}, {ID: "n4"}}
	a.node.failWith(errNoLeader) // it needs no quorum
	answer, err := a.clusters.GetStatus(t.Context(), &pb.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if answer.GetLeaderId() != "n1" || answer.GetNodeId() != "n1" || answer.GetQuorum() != 2 || answer.GetClusterId() != "c1" || answer.GetEpoch() != 1 || answer.GetSettingsDigest() != "d1" {
		t.Errorf("%v", answer)
	}
	servers := answer.GetServers()
	one, two, three, four := servers[0], servers[1], servers[2], servers[3]
	if !one.GetHealthy() || !one.GetLeader() || one.GetAppliedIndex() != answer.GetAppliedIndex() || len(one.GetStateHash()) != 64 || one.GetGrpcAddress() != "127.0.0.1:7700" {
		t.Errorf("n1: %v", one)
	}
	if len(one.GetServes()) != 1 || one.GetServes()[0].GetActivationIndex() != 1 {
		t.Errorf("n1 serves %v", one.GetServes())
	}
	if two.GetVersion() != "v2" || two.GetAppliedIndex() != 7 || two.GetStateHash() != "ab" || two.GetHealthy() {
		t.Errorf("n2: %v", two)
	}
	for server, words := range map[*pb.Server]string{
		two: "serves nothing of development", three: "unavailable since", four: "never seen",
	} {
		if !strings.Contains(strings.Join(server.GetNotices(), "; "), words) {
			t.Errorf("%s: notices %v do not say %q", server.GetId(), server.GetNotices(), words)
		}
	}
	if !strings.Contains(three.GetNotices()[0], "did not answer n1") {
		t.Errorf("n3: %v", three.GetNotices())
	}
	_, err = a.clusters.GetStatus(t.Context(), &pb.GetStatusRequest{Consistency: pb.Consistency_CONSISTENCY_LINEARIZABLE})
	wantCode(t, err, codes.Unavailable, "NO_QUORUM")
}

func TestNoticesOfAMember(t *testing.T) {
	n := newOneNode(t)
	n.Deploy("roads")
	state := n.Store().State()
	tests := []struct {
		name  string
		view  serverView
		words string
	}{
		{"halted", serverView{status: Status{NodeID: "n1", Halted: errors.New("entry 7")}, node: state.Node("n1")}, "entry 7"},
		{"other settings", serverView{node: &fsm.Node{ID: "n1", Available: true, SettingsDigest: "other"}}, "settings file differs"},
		{"behind", serverView{node: &fsm.Node{ID: "n1", Available: true, Serves: []fsm.Served{{Environment: "development", Epoch: 1, Digest: "d", Healthy: true}}}}, "serves activation 0 of development"},
		{"drift", serverView{node: &fsm.Node{ID: "n1", Available: true, Serves: []fsm.Served{{Environment: "development", Epoch: 1, Index: 1, Digest: "d", Message: "cities.geojson is gone"}}}}, "cities.geojson is gone"},
		{"never seen", serverView{status: Status{NodeID: "n2", HasQuorum: true}}, "honua cluster remove n1"},
		{"this node, its log not read", serverView{status: Status{NodeID: "n1"}}, "runs, and reads its log once there is a leader"},
		{"another node, the log not read", serverView{status: Status{NodeID: "n2"}}, "is not known to n2, which reads its log"},
		{"another state", serverView{node: state.Node("n1"), asked: true, answer: &pb.GetNodeStatusResponse{StateHashIndex: state.Index(), StateHash: []byte{1}}}, "its state differs"},
	}
	for _, tt := range tests {
		tt.view.member, tt.view.state = RaftServer{ID: "n1"}, state
		if got := strings.Join(tt.view.notices(), "; "); !strings.Contains(got, tt.words) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func TestMembership(t *testing.T) {
	a := serve(t)
	members, err := a.clusters.ListMembers(t.Context(), &pb.ListMembersRequest{})
	if err != nil || len(members.GetMembers()) != 1 || members.GetMembers()[0].GetStatus() != "alive" {
		t.Errorf("%v, %v", members, err)
	}
	added, err := a.clusters.AddServer(t.Context(), &pb.AddServerRequest{Address: "10.0.0.2:7702"})
	if err != nil || added.GetAppliedIndex() != 42 || added.GetId() != "n2" || !slices.Equal(a.node.added, []string{"10.0.0.2:7702"}) {
		t.Errorf("%v, %v, %v", added, err, a.node.added)
	}
	removed, err := a.clusters.RemoveServer(t.Context(), &pb.RemoveServerRequest{Id: "n2"})
	if err != nil || removed.GetAppliedIndex() != 41 || !slices.Equal(a.node.removed, []string{"n2"}) {
		t.Errorf("%v, %v, %v", removed, err, a.node.removed)
	}
	a.node.failWith(errUnknownNode)
	_, err = a.clusters.RemoveServer(t.Context(), &pb.RemoveServerRequest{Id: "n11"})
	if got := wantCode(t, err, codes.NotFound, "UNKNOWN_NODE"); got.metadata["nearest"] != "n1" || got.metadata["outcome"] != "not_executed" {
		t.Errorf("%v", got.metadata)
	}
}

func TestTransferLeadership(t *testing.T) {
	a := serve(t)
	same, err := a.clusters.TransferLeadership(t.Context(), &pb.TransferLeadershipRequest{Id: "n1"})
	if err != nil || same.GetTerm() != 1 {
		t.Errorf("it leads already: %v, %v", same, err)
	}
	answer, err := a.clusters.TransferLeadership(t.Context(), &pb.TransferLeadershipRequest{Id: "n2"})
	if err != nil || answer.GetLeaderId() != "n2" || answer.GetTerm() != 2 {
		t.Errorf("%v, %v", answer, err)
	}
}

// Nodes that let in other people than the leader does, or whose clocks are apart, are named, with what differs.
func TestDifferencesBetweenNodes(t *testing.T) {
	status := Status{NodeID: "n2", LeaderID: "n1"}
	own := func(identities string) map[string]string {
		return map[string]string{"Auth.Identities": identities, "Auth.Oidc": "same", "Auth.Enabled": "yes"}
	}
	answers := map[string]*pb.GetNodeStatusResponse{
		"n1": {OwnSettings: own("a"), NowMs: epoch.UnixMilli()},
		"n2": {OwnSettings: own("a"), NowMs: epoch.Add(time.Hour).UnixMilli()}, // its own clock is what others are compared with
		"n3": {OwnSettings: own("b"), NowMs: epoch.Add(-3 * time.Second).UnixMilli()},
		"n4": {OwnSettings: map[string]string{"Auth.Identities": "b", "Auth.Oidc": "other", "Auth.New": "x"}, NowMs: epoch.Add(2 * time.Second).UnixMilli()},
		"n5": {},
	}
	core := &clusters{core: &core{Config: Config{Now: func() time.Time { return epoch }}}}
	for id, want := range map[string]string{
		"n1": "", "n2": "",
		"n3": "its Auth.Identities is not that of n1, so that they let in different people: make the settings files equal and restart it; its clock is -3s from that of n2: have both follow NTP",
		"n4": "its Auth.Identities and Auth.Oidc is not that of n1, so that they let in different people: make the settings files equal and restart it",
		"n5": "", "n6": "",
	} {
		if got := strings.Join(core.comparison(answers, status).of(id), "; "); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	delete(answers, "n1") // nobody knows what the leader has: the one that answers is compared with
	if got := core.comparison(answers, status).of("n3"); len(got) != 2 || !strings.Contains(got[0], "not that of n2") {
		t.Errorf("without the leader: %q", got)
	}
	v := serverView{member: RaftServer{ID: "n3"}, node: &fsm.Node{Available: true}, state: newOneNode(t).Store().State(), differs: []string{"its Auth.Oidc is another"}}
	if m := v.message(); m.GetHealthy() || !slices.Contains(m.GetNotices(), "its Auth.Oidc is another") {
		t.Errorf("shown as %v", m)
	}
}
