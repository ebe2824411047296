package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	systemTag = regexp.MustCompile(`(?m)^//go:build .*\bsystem\b`)
	systemRun = regexp.MustCompile(`(?m)^\tgo test .*-tags system(?: -run '([^']+)')? (\./.*)$`)
	testName  = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

// systemTests are the tests behind the build tag, by name and by the folder they are in.
func systemTests(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !systemTag.Match(content) {
			return err
		}
		folder := "." + strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "..")
		for _, name := range testName.FindAllSubmatch(content, -1) {
			if name := string(name[1]); name != "TestMain" {
				found[folder] = append(found[folder], name)
			}
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	return found
}

// runsSystemTest reports whether a line of the target test-system runs a test.
func runsSystemTest(line []string, folder, name string) bool {
	if line[1] != "" && !regexp.MustCompile(line[1]).MatchString(name) {
		return false
	}
	for _, pattern := range strings.Fields(line[2]) {
		below, all := strings.CutSuffix(pattern, "/...")
		if folder == below || all && strings.HasPrefix(folder, below+"/") {
			return true
		}
	}
	return false
}

// make test-system runs every test behind the build tag: nothing runs them by itself.
func TestSystemTestsAreRun(t *testing.T) {
	_, target, found := strings.Cut(source(t, "../Makefile"), "\ntest-system:")
	if !found {
		t.Fatal("there is no target test-system")
	}
	target, _, _ = strings.Cut(target, "\n\n")
	lines := systemRun.FindAllStringSubmatch(target, -1)
	for folder, names := range systemTests(t) {
		for _, name := range names {
			run := false
			for _, line := range lines {
				run = run || runsSystemTest(line, folder, name)
			}
			if !run {
				t.Errorf("make test-system does not run %s of %s", name, folder)
			}
		}
	}
}
