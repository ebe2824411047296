//go:build unix

package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// cliWithin bounds a command line.
const cliWithin = 90 * time.Second

// Result is what a command line came to.
type Result struct {
	Args   []string
	Out    string
	Err    string
	Code   int
	Took   time.Duration
	failed error
}

// CLI runs the command line against all nodes of the cluster.
func (c *Cluster) CLI(args ...string) Result {
	c.t.Helper()
	if c.options.Secure {
		return c.As(c.admin, args...)
	}
	return CLI(c.t, c.Addresses(), args...)
}

// CLI runs the command line against one node.
func (n *Node) CLI(args ...string) Result {
	n.t.Helper()
	return CLI(n.t, []string{n.GRPC}, args...)
}

// CLI runs the command line against the nodes at these addresses.
func CLI(t testing.TB, addresses []string, args ...string) Result {
	t.Helper()
	var env []string
	if len(addresses) > 0 {
		env = append(env, "HONUA_ADDRESS="+strings.Join(addresses, ","))
	}
	return runCLI(t, env, args...)
}

func runCLI(t testing.TB, env []string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), cliWithin)
	defer cancel()
	command := exec.CommandContext(ctx, Binary(t), args...)
	command.Env = append(append(os.Environ(), "NO_COLOR=1"), env...)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	began := time.Now()
	err := command.Run()
	r := Result{Args: args, Out: out.String(), Err: complaints.String(), Code: command.ProcessState.ExitCode(), Took: time.Since(began)}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.failed = err
	}
	return r
}

// Expect fails the test if the exit code is another one.
func (r Result) Expect(t testing.TB, code int) Result {
	t.Helper()
	if r.failed != nil || r.Code != code {
		t.Fatalf("honua %s: exit code %d, not %d (%v)\n%s%s", strings.Join(r.Args, " "), r.Code, code, r.failed, r.Out, r.Err)
	}
	return r
}

// Decode reads what a command printed as JSON.
func (r Result) Decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Out), into); err != nil {
		t.Fatalf("honua %s: %v in\n%s%s", strings.Join(r.Args, " "), err, r.Out, r.Err)
	}
}
