// Package defects lists what can be planted in the product to see that the checks find it.
package defects

import (
	"github.com/honua-io/honua-gitops/internal/planted"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
)

// Defect is a defect of a build with the tag chaos.
type Defect struct {
	Name string
	// Breaks are the promises as which it has to be found, one of them.
	Breaks []string
	// Faults are those under which it shows.
	Faults []plan.Kind
	// Masked is why rounds hardly ever show it; empty if they do. The simulator plants it too, and finds it.
	Masked string
}

// All are the defects of package planted, and those of the state machine. A node's files are replayed by a state
// machine without a defect, so that one of the replicated state shows as another state too (I11).
func All() []Defect {
	crashes := []plan.Kind{plan.Kill, plan.Pause, plan.Restart}
	cuts := []plan.Kind{plan.Pause, plan.Partition, plan.Kill}
	return []Defect{
		{Name: string(planted.Acknowledge), Breaks: []string{"I3"}, Faults: cuts},
		{
			Name: string(planted.Deny), Breaks: []string{"I3"}, Faults: cuts,
			Masked: "four rounds did not show it; the node itself asks again under the same request id, and so learns that it was executed",
		},
		{Name: string(planted.ReadAnywhere), Breaks: []string{"I8"}, Faults: cuts},
		{Name: string(planted.ActInApply), Breaks: []string{"I1", "I2"}, Faults: crashes},
		{Name: string(planted.SkipIntent), Breaks: []string{"I2"}, Faults: crashes},
		{Name: string(planted.SwapStaged), Breaks: []string{"I1", "I6"}, Faults: crashes},
		// What the entry said is missing on that node: an acknowledged change, what it should serve, what reads should show.
		{Name: string(planted.LoseEntry), Breaks: []string{"I11", "I3", "I8", "I14"}, Faults: crashes},
		{Name: string(planted.ForgetVote), Breaks: []string{"I15"}, Faults: []plan.Kind{plan.Kill, plan.Restart, plan.Window}},
		{
			Name: string(planted.SkipSync), Breaks: []string{"I2"}, Faults: []plan.Kind{plan.Power},
			Masked: "seven rounds of power losses did not show it; syncs of other files, which every command brings, seem to take the line to the disk",
		},
		{Name: "count an approval twice", Breaks: []string{"I5"}, Faults: crashes},
		{Name: "ignore the expected sequence", Breaks: []string{"I11"}, Faults: cuts},
		{Name: "forget the hold", Breaks: []string{"hold"}, Faults: crashes},
		{Name: "forget the request id", Breaks: []string{"I3"}, Faults: crashes},
		// The record keeps one meaning of an index: what nodes did and served under another was never decided.
		{Name: "reuse an activation index", Breaks: []string{"I1", "I6"}, Faults: crashes},
	}
}
