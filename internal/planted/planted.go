// Package planted holds the names of defects that a build with the tag chaos can show, to see that the checks find
// them. In every other build On is false, and the defects are not in the binary. The state machine's are in package
// fsm, which imports nothing that could tell it what to do.
package planted

// Defect is a defect that can be planted.
type Defect string

// The defects, and the promises that they break.
const (
	// Acknowledge tells a caller that a command was executed before it is committed (I3).
	Acknowledge Defect = "acknowledge before commit"
	// Deny calls an entry whose fate is unknown not executed (I3).
	Deny Defect = "call it not executed"
	// ReadAnywhere answers a linearizable read without asking whether this node still leads (I8).
	ReadAnywhere Defect = "read without verifying leadership"
	// ActInApply acts on every entry, those of a replay too (I1, I2).
	ActInApply Defect = "activate in Apply"
	// SkipIntent swaps without the journal's line before it (I2).
	SkipIntent Defect = "skip the intent"
	// SwapStaged serves what is only staged (I6).
	SwapStaged Defect = "serve what is staged"
	// LoseEntry skips an entry on one node (I11).
	LoseEntry Defect = "skip an entry"
	// ForgetVote does not store for whom this node voted (I15).
	ForgetVote Defect = "forget the vote"
	// SkipSync does not wait until a line of the journal is on disk (I2).
	SkipSync Defect = "skip the fsync of the journal"
)

// Defects are all of them.
func Defects() []Defect {
	return []Defect{Acknowledge, Deny, ReadAnywhere, ActInApply, SkipIntent, SwapStaged, LoseEntry, ForgetVote, SkipSync}
}

// Variable names the environment variable that holds the defect to show.
const Variable = "HONUA_PLANTED"
