package leader

// The messages that the operator's runbook greps for. Their wording is part of
// the outside contract.
const (
	msgStarted       = "GitWatcher started. Watching branch '%s' every %d seconds"
	msgInitial       = "Initial commit: %s"
	msgPolling       = "Polling for changes on branch '%s'"
	msgNothing       = "No new commits detected"
	msgDetected      = "Detected new commit: %s -> %s"
	msgAuthor        = "Commit by: %s"
	msgMessage       = "Message: %s"
	msgChanged       = "Changed files: %d"
	msgRelevant      = "Found %d relevant files for environment '%s'"
	msgInvalidJSON   = "Invalid JSON in configuration file"
	msgPollFailed    = "The repository cannot be polled"
	msgReadFailed    = "The commit cannot be read"
	msgChecksFailed  = "The configuration was refused"
	msgProposal      = "a decision was not taken"
	msgClockUntrust  = "this node's clock is far from the other voters': decisions that depend on the time are not taken"
	msgNodeSilent    = "a node's status is not to be had"
	msgUploadRefused = "the content was refused"
)
