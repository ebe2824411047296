package leader

import (
	"cmp"
	"maps"
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// trouble is one kind of fault on one branch.
type trouble struct{ branch, code string }

// planFaults puts what keeps the repository from being read on record. It goes by the replicated state, so that a fault
// has one record whoever led when it was met: one for the branch if all its environments have it, one for each otherwise.
func planFaults(in Inputs, d *Decisions) {
	troubles := map[trouble][]*fsm.Environment{}
	watching := map[string]int{}
	for env := range in.State.Environments() {
		if env.Retired {
			continue
		}
		watching[env.Branch]++
		if code := env.UnrecordedFault(); code != "" {
			what := trouble{env.Branch, code}
			troubles[what] = append(troubles[what], env)
		}
	}
	byName := func(a, b trouble) int {
		return cmp.Or(cmp.Compare(a.branch, b.branch), cmp.Compare(a.code, b.code))
	}
	for _, what := range slices.SortedFunc(maps.Keys(troubles), byName) {
		affected := troubles[what]
		if len(affected) > 1 && len(affected) == watching[what.branch] {
			d.recordFault("branch/"+what.branch, &pb.RecordFault{Branch: what.branch, Code: what.code, Detail: affected[0].PollError})
			continue
		}
		for _, env := range affected {
			d.recordFault("environment/"+env.Name, &pb.RecordFault{Environment: env.Name, Code: what.code, Detail: env.PollError})
		}
	}
}

func (d *Decisions) recordFault(whose string, m *pb.RecordFault) {
	d.propose("fault/"+whose, &pb.Payload{Command: &pb.Payload_RecordFault{RecordFault: m}})
}
