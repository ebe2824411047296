// Package acceptance proves what the program promises from outside: real processes, killed and stopped, real Git
// repositories, real files, and the command line that operators use.
package acceptance

import (
	"os"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

const development = "development"
