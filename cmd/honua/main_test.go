package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// update rewrites the golden files: go test ./cmd/honua -update.
var update = flag.Bool("update", false, "rewrite golden files")

// envFakeNode makes the test binary a node that answers health checks, for tests of `honua dev`.
const envFakeNode = "HONUA_TEST_FAKE_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(envFakeNode) != "" && len(os.Args) > 1 && os.Args[1] == "server" {
		os.Exit(fakeNodeMain())
	}
	testscript.Main(m, map[string]func(){"honua": func() { os.Exit(mainWithSignals()) }})
}

// The parts of the command line that need no cluster, as an operator types them.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../../test/scripts", UpdateScripts: *update})
}

// outcome is what a command line did.
type outcome struct {
	code     int
	out, err string
}

// honua runs a command line in this process.
func honua(t *testing.T, args ...string) outcome {
	t.Helper()
	return honuaWith(t.Context(), t, "", args...)
}

func honuaWith(ctx context.Context, t *testing.T, input string, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	s := newSession(strings.NewReader(input), &out, &err, func(string) string { return "" })
	code := run(ctx, s, args)
	return outcome{code, out.String(), err.String()}
}

// eventually waits for a condition, asking often and for a bounded time.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
