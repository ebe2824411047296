//go:build system

package system

import (
	"os"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
