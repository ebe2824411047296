// Package workflow proves the deployment workflow from outside: approvals, holds, pauses, windows and rollbacks of
// clusters of real processes, whose leaders are killed between the steps.
package workflow

import (
	"os"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

const production = "production"
