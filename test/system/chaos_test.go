//go:build system

package system

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/failpoint"
)

// chaosWithin bounds a short run of the chaos program.
const chaosWithin = 5 * time.Minute

// A short run of everything that the chaos program does: I1 to I8, I11 to I17. A failure leaves its folder.
func TestChaos(t *testing.T) {
	dir := t.TempDir()
	honua := buildFor(t, dir, "honua", "-tags", "chaos", "github.com/honua-io/honua-gitops/cmd/honua")
	program := buildFor(t, dir, "honua-chaos", "github.com/honua-io/honua-gitops/test/chaos/cmd/honua-chaos")
	if content, err := os.ReadFile(honua); err != nil || !bytes.Contains(content, []byte(failpoint.BeforeVote)) {
		t.Fatalf("the binary has no window %q: %v", failpoint.BeforeVote, err)
	}
	left, err := os.MkdirTemp("", "honua-chaos-") // kept if the run fails
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), chaosWithin)
	defer cancel()
	command := exec.CommandContext(ctx, program, "run", "--minutes", "0.6", "--honua", honua, "--dir", left)
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), " lost=0 double=0\n") {
		t.Fatalf("%v: see %s\n%s", err, left, out)
	}
	t.Logf("%s", out)
	if err := os.RemoveAll(left); err != nil {
		t.Error(err)
	}
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
