// Package security proves from outside what docs/security.md promises of identities and encryption: real processes
// with TLS on every port, and what they refuse.
package security

import (
	"fmt"
	"os"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

func TestMain(m *testing.M) {
	if err := setCanaries(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(harness.Main(m))
}

const development = "development"
