//go:build system

package system

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/failpoint"
)

// How often a short run of the chaos program does what. Pauses are as many as partitions.
var (
	leaderKills = flag.Int("leader-kills", 120, "how many leaders TestChaosLeaders kills with SIGKILL")
	partitions  = flag.Int("partitions", 20, "how many partitions and pauses the chaos tests make")
	powerLosses = flag.Int("power-losses", 5, "how often at least the chaos tests cut the power of a node's disk")
)

// chaosWithin bounds a short run of the chaos program.
const chaosWithin = 10 * time.Minute

// Short runs of what the chaos program does: I1 to I8, I11 to I17. A failure leaves its folder. The longest come first:
// the other tests run beside them.
func TestChaosLeaders(t *testing.T) {
	chaos(t, "--minutes", minutes(*leaderKills, 45), "--faults", "leader", "--least", fmt.Sprintf("leader=%d", *leaderKills))
}

func TestChaosPartitionsPausesAndPower(t *testing.T) {
	chaos(t, "--minutes", minutes(*partitions, 13), "--faults", "partition,pause,power",
		"--least", fmt.Sprintf("partition=%d,pause=%d,power=%d", *partitions, *partitions, *powerLosses))
}

func TestChaosEverything(t *testing.T) { chaos(t, "--minutes", "0.6") }

// chaos runs the chaos program on real clusters, and expects that every promise held.
func chaos(t *testing.T, args ...string) {
	t.Parallel()
	dir := t.TempDir()
	honua := buildFor(t, dir, "honua", "-tags", "chaos", "github.com/honua-io/honua-gitops/cmd/honua")
	program := buildFor(t, dir, "honua-chaos", "github.com/honua-io/honua-gitops/test/chaos/cmd/honua-chaos")
	if content, err := os.ReadFile(honua); err != nil || !bytes.Contains(content, []byte(failpoint.BeforeVote)) {
		t.Fatalf("the binary has no window %q: %v", failpoint.BeforeVote, err)
	}
	left, err := os.MkdirTemp("", "honua-chaos-") // kept if the run fails
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), chaosWithin)
	defer cancel()
	command := exec.CommandContext(ctx, program, append([]string{"run", "--honua", honua, "--dir", left}, args...)...)
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), " lost=0 double=0\n") {
		t.Fatalf("%v: see %s\n%s", err, left, out)
	}
	t.Logf("%s", out)
	must(t, os.RemoveAll(left))
}

// minutes is how long it takes to do something so often that is done perMinute times a minute.
func minutes(count, perMinute int) string {
	return strconv.FormatFloat(float64(count)/float64(perMinute), 'f', 2, 64)
}

func buildFor(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	program := filepath.Join(dir, name)
	command := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", program}, args...)...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}
