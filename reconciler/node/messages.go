package node

// The messages that the operator's runbook greps for. Their wording is part of
// the outside contract.
const (
	msgStarting       = "Starting reconciliation for environment '%s' at commit '%s'"
	msgReconciling    = "Reconciling environment-specific configuration from '%s'"
	msgRetrieving     = "Retrieving '%s' configuration from Git: %s"
	msgParsed         = "Successfully parsed JSON for '%s'"
	msgApplying       = "Applying '%s' configuration for environment '%s'"
	msgReloading      = "Reloading metadata registry from updated configuration"
	msgReloaded       = "Successfully reloaded metadata registry with %d services"
	msgReconciled     = "Successfully reconciled '%s' for environment '%s'"
	msgCompleted      = "Successfully completed reconciliation for environment '%s' in %dms"
	msgReloadFailed   = "Failed to reload metadata registry"
	msgDatabase       = "Database connection failure"
	msgRollback       = "Deployment failed, initiating automatic rollback"
	msgRollingBack    = "Rolling back to deployment: %s"
	msgRolledBack     = "Rollback completed successfully"
	msgResumed        = "serving the configuration activated last"
	msgNotResumed     = "the configuration activated last cannot be served from disk; it is built anew from the cluster's state"
	msgDrift          = "a state file was changed by hand and is written again: it is a view, see the runbook for what replaces editing it"
	msgDriftFound     = "what is served has broken since it was deployed: it is reported, nothing is rolled back"
	msgDriftCorrected = "what is served, or what it is served from, was not as deployed and has been put right"
	msgDriftOver      = "what had broken of what is served works again"
	msgFileFailed     = "a state file cannot be written"
	msgRejected       = "the configuration cannot be served by this node"
)
