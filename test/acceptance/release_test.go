package acceptance

import (
	"bytes"
	"os"
	"testing"

	"github.com/honua-io/honua-gitops/internal/failpoint"
	"github.com/honua-io/honua-gitops/internal/planted"
	"github.com/honua-io/honua-gitops/test/harness"
)

// What the chaos tests build in, to end a node in a window of the code, to set its clock wrong and to plant defects, is
// not in a binary that is built as releases are: none of the names by which it is asked for is there.
func TestTheReleaseHasNothingOfTheChaosTests(t *testing.T) {
	content, err := os.ReadFile(harness.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"HONUA_FAILPOINT_FILE", "HONUA_CLOCK_FILE", planted.Variable, "count an approval twice"}
	for _, window := range failpoint.Windows() {
		names = append(names, string(window))
	}
	for _, defect := range planted.Defects() {
		names = append(names, string(defect))
	}
	for _, name := range names {
		if bytes.Contains(content, []byte(name)) {
			t.Errorf("the binary contains %q", name)
		}
	}
	if !bytes.Contains(content, []byte("HONUA_ADDRESS")) {
		t.Error("the search does not find what is there")
	}
}
