package content

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// Bounds of a stored plan, bytes. A plan travels in the command that records
// its deployment, which has to stay small for raft.
const (
	// MaxPlan is the most that a stored plan may have.
	MaxPlan = 128 << 10
	// plainPlan is up to where a plan is stored as plain JSON.
	plainPlan = 4 << 10
	// maxPlanJSON bounds what a stored plan may unpack to.
	maxPlanJSON = 256 << 20
	packedPlan  = 'Z'
)

// ErrPlan is a stored plan that cannot be read.
var ErrPlan = errors.New("the stored plan is not readable")

// EncodePlan returns the stored form of a plan: JSON, packed where it is large.
// Of a plan that is too large even so, the ends of its lists are left out and
// counted; its risk and what is breaking were judged before.
func EncodePlan(plan catalog.Plan) ([]byte, error) {
	for keep := 1 << 20; ; keep /= 2 {
		encoded, err := encodePlan(shortened(plan, keep))
		if err != nil || len(encoded) <= MaxPlan || keep == 1 {
			return encoded, err
		}
	}
}

func encodePlan(plan catalog.Plan) ([]byte, error) {
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, fmt.Errorf("the plan cannot be written: %w", err)
	}
	if len(text) <= plainPlan {
		return text, nil
	}
	packed := binary.AppendUvarint([]byte{packedPlan}, uint64(len(text)))
	return append(packed, bundle.Compress(text)...), nil
}

// DecodePlan reads what EncodePlan wrote.
func DecodePlan(stored []byte) (catalog.Plan, error) {
	var plan catalog.Plan
	if len(stored) > 0 && stored[0] == packedPlan {
		size, n := binary.Uvarint(stored[1:])
		if n <= 0 || size > maxPlanJSON {
			return plan, fmt.Errorf("%w: its size is missing", ErrPlan)
		}
		text, err := bundle.Decompress(stored[1+n:], int64(size), maxPlanJSON)
		if err != nil {
			return plan, fmt.Errorf("%w: %w", ErrPlan, err)
		}
		stored = text
	}
	if err := json.Unmarshal(stored, &plan); err != nil {
		return plan, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return plan, nil
}

// shortened keeps so many lines of each list.
func shortened(plan catalog.Plan, keep int) catalog.Plan {
	rest := func(n int) catalog.Item {
		return catalog.Item{Kind: catalog.KindLayer, ID: fmt.Sprintf("… and %d more", n-keep)}
	}
	if n := len(plan.Added); n > keep {
		plan.Added = append(plan.Added[:keep:keep], rest(n))
	}
	if n := len(plan.Removed); n > keep {
		plan.Removed = append(plan.Removed[:keep:keep], rest(n))
	}
	if n := len(plan.Modified); n > keep {
		plan.Modified = append(plan.Modified[:keep:keep], catalog.Change{Item: rest(n)})
	}
	if n := len(plan.Breaking); n > keep {
		plan.Breaking = append(plan.Breaking[:keep:keep], catalog.Breaking{Kind: catalog.KindLayer, ID: rest(n).ID})
	}
	return plan
}
