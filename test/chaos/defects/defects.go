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
}

// All are the defects of package planted, and those of the state machine. A node's files are replayed by a state
// machine without a defect, so that one of the replicated state shows as another state too (I11).
func All() []Defect {
	crashes := []plan.Kind{plan.Kill, plan.Pause, plan.Restart}
	cuts := []plan.Kind{plan.Pause, plan.Partition, plan.Kill}
	return []Defect{
		{string(planted.Acknowledge), []string{"I3"}, cuts},
		{string(planted.Deny), []string{"I3"}, cuts},
		{string(planted.ReadAnywhere), []string{"I8"}, cuts},
		{string(planted.ActInApply), []string{"I1", "I2"}, crashes},
		{string(planted.SkipIntent), []string{"I2"}, crashes},
		{string(planted.SwapStaged), []string{"I1", "I6"}, crashes},
		// What the entry said is missing on that node: an acknowledged change, what it should serve, what reads should show.
		{string(planted.LoseEntry), []string{"I11", "I3", "I8", "I14"}, crashes},
		{string(planted.ForgetVote), []string{"I15"}, []plan.Kind{plan.Kill, plan.Restart, plan.Window}},
		{string(planted.SkipSync), []string{"I2"}, []plan.Kind{plan.Power}},
		{"count an approval twice", []string{"I5"}, crashes},
		{"ignore the expected sequence", []string{"I11"}, cuts},
		{"forget the hold", []string{"hold"}, crashes},
		{"forget the request id", []string{"I3"}, crashes},
		// The record keeps one meaning of an index: what nodes did and served under another was never decided.
		{"reuse an activation index", []string{"I1", "I6"}, crashes},
	}
}
