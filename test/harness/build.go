package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaryVariable names the program to test; Main builds one where it is not set.
const binaryVariable = "HONUA_TEST_BINARY"

// Main builds the program, runs the tests and returns their exit code. The program is built without the race
// detector: what is measured and killed here is what operators run.
func Main(m *testing.M) int {
	if os.Getenv(binaryVariable) == "" {
		dir, err := os.MkdirTemp("", "honua-test-")
		if err != nil {
			return complain(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		program := filepath.Join(dir, "honua")
		if err := build(program); err != nil {
			return complain(err)
		}
		if err := os.Setenv(binaryVariable, program); err != nil {
			return complain(err)
		}
	}
	return m.Run()
}

func build(program string, flags ...string) error {
	arguments := append([]string{"build", "-o", program}, flags...)
	command := exec.Command("go", append(arguments, "github.com/honua-io/honua-gitops/cmd/honua")...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// Build builds another program than Binary, with the flags of go build, such as -tags.
func Build(t testing.TB, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "honua")
	if err := build(program, flags...); err != nil {
		t.Fatal(err)
	}
	return program
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// Programs is a folder for PATH in which the program under test is called honua.
func Programs(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(Binary(t), filepath.Join(dir, "honua")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Binary is the path of the program under test.
func Binary(t testing.TB) string {
	t.Helper()
	program := os.Getenv(binaryVariable)
	if program == "" {
		t.Fatal("the test package's TestMain has to call harness.Main")
	}
	return program
}
