package cluster

import (
	"runtime/debug"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Whole clusters live for moments of real time here, and leave all of it behind.
	debug.SetGCPercent(400)
	goleak.VerifyTestMain(m)
}
