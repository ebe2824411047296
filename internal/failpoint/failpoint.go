// Package failpoint names windows of the code in which a crash would hurt most: before and after each step that has to
// survive one. In a build with the tag chaos a test can end the process exactly there; in every other build Reach is
// nothing, and no name of a window is in the binary.
package failpoint

// Window is a place in the code.
type Window string

// The windows, in the order of a deployment's steps.
const (
	// BeforePropose is a leader's, before it gives an entry to raft; AfterPropose once the entry is applied and nobody
	// has been told.
	BeforePropose Window = "before-propose"
	AfterPropose  Window = "after-propose"
	// BeforeStageSync and AfterStageSync are around storing a content on disk.
	BeforeStageSync Window = "before-stage-fsync"
	AfterStageSync  Window = "after-stage-fsync"
	// BeforeIntent and AfterIntent are around the journal's line that announces an activation.
	BeforeIntent Window = "before-intent"
	AfterIntent  Window = "after-intent"
	// BeforeSwap and AfterSwap are around the swap of what is served.
	BeforeSwap Window = "before-swap"
	AfterSwap  Window = "after-swap"
	// BeforeReport and AfterReport are around making known that it is served.
	BeforeReport Window = "before-report"
	AfterReport  Window = "after-report"
	// BeforeSnapshotRename and AfterSnapshotRename are around a snapshot's taking its place.
	BeforeSnapshotRename Window = "before-snapshot-rename"
	AfterSnapshotRename  Window = "after-snapshot-rename"
	// BeforeVote and AfterVote are around storing for whom this node voted.
	BeforeVote Window = "before-vote"
	AfterVote  Window = "after-vote"
)

// Windows are all of them.
func Windows() []Window {
	return []Window{
		BeforePropose, AfterPropose, BeforeStageSync, AfterStageSync, BeforeIntent, AfterIntent, BeforeSwap, AfterSwap,
		BeforeReport, AfterReport, BeforeSnapshotRename, AfterSnapshotRename, BeforeVote, AfterVote,
	}
}
