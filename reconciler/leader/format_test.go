package leader

import (
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// says has a node report what its build knows, and puts it on record.
func (r *rig) says(node string, format uint32) {
	r.t.Helper()
	s := &pb.GetNodeStatusResponse{NodeId: node, Incarnation: node + "1", Format: format}
	r.in.Peers[node] = Peer{Status: s}
	r.apply(observe(report(s)))
}

// A later format is proposed once every node's build knows it: voters and non-voters, those that are away too.
func TestPlanRaisesTheFormat(t *testing.T) {
	r := newRig(t)
	r.in.Format = 3
	r.in.Members = append(r.in.Members, "reader")
	r.apply(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{NodeId: "reader", Incarnation: "reader1"}}})
	for _, id := range []string{"a", "b", "c"} {
		r.says(id, 3)
	}
	r.decides("wake 2000") // the reader has not said what it knows
	r.says("reader", 1)
	r.decides("wake 2000")
	r.says("reader", 2)
	r.decides("propose format RaiseFormat", "wake 2000")
	if got := r.plan().Proposals[0].Payload.GetRaiseFormat().GetFormat(); got != 2 {
		t.Fatalf("format %d is proposed; the oldest node knows 2", got)
	}
	r.in.Peers["b"] = Peer{Status: &pb.GetNodeStatusResponse{NodeId: "b", Incarnation: "b1", Format: 1}}
	if got := r.show(r.plan()); got != "propose node/b available=true\nwake 2000" {
		t.Fatalf("while a node was started with an older build: %s", got)
	}
	r.says("b", 2)
	r.apply(observe(&pb.ObserveNode{NodeId: "c", Incarnation: "c1"}))
	delete(r.in.Peers, "c")
	r.in.Peers["c"] = Peer{SilentMs: unavailableAfterMs}
	r.decides("propose format RaiseFormat", "wake 2000") // c is away: it knew the format when it was here
	r.in.Format = 1
	r.decides("wake 2000")
}

// A node of the record that is no member any more is waited for: the state machine would refuse.
func TestPlanWaitsForNodesOnRecord(t *testing.T) {
	r := newRig(t)
	r.in.Format = 2
	for _, id := range []string{"a", "b", "c"} {
		r.says(id, 2)
	}
	r.apply(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{NodeId: "gone", Incarnation: "gone1"}}})
	r.decides("wake 2000")
	r.apply(&pb.Payload{Command: &pb.Payload_ForgetNode{ForgetNode: &pb.ForgetNode{NodeId: "gone"}}})
	r.decides("propose format RaiseFormat", "wake 2000")
}
