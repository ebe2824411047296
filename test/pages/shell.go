package pages

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Shell is where somebody types the commands of one block: what one of them exports, assigns or changes to holds for
// those that follow.
type Shell struct {
	// Dir is where the shell begins.
	Dir string
	// Env goes over the test's own environment.
	Env []string
	// Places are what stands for the reader's places in commands, such as /etc/honua, each before its replacement.
	Places []string
	// Input is what is typed into each command.
	Input string
	// Wrap is put before the shell itself, such as a program that enters other namespaces.
	Wrap []string

	before []string
}

var (
	settles = regexp.MustCompile(`^(cd |export |\w+=\S)`)
	// outcome is another exit code than 0 that a comment names, as in "# 2: something changes".
	outcome = regexp.MustCompile(`#[^'"]*\b([1-9]): [^'"]*$`)
)

// Here is a command as it is typed on this machine.
func (s *Shell) Here(command string) string { return strings.NewReplacer(s.Places...).Replace(command) }

// Command is what Run runs; the end of the context kills it.
func (s *Shell) Command(ctx context.Context, command string) *exec.Cmd {
	here := s.Here(command)
	script := strings.Join(append(s.before, here), "\n")
	if settles.MatchString(here) {
		s.before = append(s.before, here)
	}
	words := append(append([]string(nil), s.Wrap...), "bash", "-euo", "pipefail", "-c", script)
	shell := exec.CommandContext(ctx, words[0], words[1:]...)
	shell.Dir = s.Dir
	shell.Env = append(append(os.Environ(), "NO_COLOR=1"), s.Env...)
	if s.Input != "" {
		shell.Stdin = strings.NewReader(s.Input)
	}
	return shell
}

// Run runs a command and returns what it prints. That it ends with another exit code than 0, and than the one that a comment
// behind it names, is an error.
func (s *Shell) Run(t testing.TB, command string) (string, error) {
	t.Helper()
	shell := s.Command(t.Context(), command)
	var out bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &out
	err := shell.Run()
	if m := outcome.FindStringSubmatch(command); m != nil && err != nil && strconv.Itoa(shell.ProcessState.ExitCode()) == m[1] {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", s.Here(command), err, out.String())
	}
	return out.String(), err
}
