package leader

import (
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// c is away when staging begins and back when b goes: it is asked in b's place.
func TestPlanAsksWhoCameBackForAMajority(t *testing.T) {
	r := newRig(t)
	observed := func(id string, available bool, silent int64) {
		r.apply(observe(&pb.ObserveNode{NodeId: id, Incarnation: id + "1", Available: available}))
		r.in.Peers[id] = Peer{SilentMs: silent}
	}
	observed("c", false, 5000)
	r.create("c1", "one")
	r.decides("propose env/prod begin a b", "wake 2000")
	r.carryOut()
	observed("c", true, 0)
	r.answer(false, true, "a")
	r.decides("ask b to stage", "wake 2000") // there is a majority without it
	observed("b", false, 5000)
	r.decides("propose env/prod staged a=true", "wake 2000")
	r.carryOut()
	r.decides("ask c to stage", "wake 2000")
	r.answer(false, false, "c")
	r.decides("wake 2000") // it has no veto
	r.answer(false, true, "c")
	r.decides("propose env/prod staged c=true", "wake 2000")
	r.carryOut()
	r.decides("propose env/prod activate", "wake 2000")
}
