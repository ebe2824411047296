package sim

import (
	half "github.com/honua-io/honua-gitops/reconciler/node"
)

// Fault is a defect that is planted in the driver, to show that the checks see it.
type Fault string

// The faults.
const (
	NoFault Fault = ""
)

func (w *world) plantAcknowledge(*request) bool  { return false }
func (w *world) plantExecution(*node, *logEntry) {}
func (n *node) plantActivation(*half.Entry)      {}
func (n *node) plantSkipIntent() bool            { return false }
