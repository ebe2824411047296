// Package supply checks what the program is built from, and that it is built the same way everywhere.
package supply

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// copyTree copies the files that Git knows of, as they are now.
func copyTree(t *testing.T, to string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed and not committed yet
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func build(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "honua")
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, "./cmd/honua")
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The same sources, in two places, give the same bytes; and all that they are built from may be.
func TestBuildsAndLicences(t *testing.T) {
	here, there := t.TempDir(), filepath.Join(t.TempDir(), "another", "place")
	var programs [2]string
	for i, dir := range []string{here, there} {
		copyTree(t, dir)
		programs[i] = build(t, dir)
	}
	first, err := os.ReadFile(programs[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(programs[1])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the same sources give different programs")
	}
	if bytes.Contains(first, []byte(here)) {
		t.Error("the program names the folder that it was built in")
	}
	checkBill(t, programs[0])
}

// checkBill checks the licences and that the bill of materials lists what is linked.
func checkBill(t *testing.T, program string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "run", "./sbom", "-check", program)
	command.Dir = filepath.Join(root, "internal", "tools")
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
	var bill struct {
		Packages []struct{ Name, VersionInfo, LicenseConcluded string }
	}
	if err := json.Unmarshal(out, &bill); err != nil {
		t.Fatal(err)
	}
	licences := map[string]string{}
	for _, p := range bill.Packages {
		licences[p.Name] = p.LicenseConcluded
	}
	if licences["github.com/hashicorp/raft"] != "MPL-2.0" || licences["google.golang.org/grpc"] != "Apache-2.0" || len(licences) < 30 {
		t.Errorf("%d packages: %v", len(licences), licences)
	}
}
