// Package recovery proves from outside, with real processes, what operators rely on when things are bad: backups and
// restores, lost majorities and disks, damage, restarts and upgrades under load.
package recovery

import (
	"os"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

const production = "production"
