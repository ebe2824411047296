package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reported are the codes that the program reports, as its source names them.
func reported(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	for pattern, found := range map[string]*regexp.Regexp{
		"../fsm/*.go":               regexp.MustCompile(`refuse\(Class\w+, "([a-z_]+)"|Class\w+ +Class = "([a-z_]+)"`),
		"../gitsync/errors.go":      regexp.MustCompile(`&failure\{"([a-z_]+)"`),
		"../api/admin/failure.go":   regexp.MustCompile(`Failure += "([a-z_]+)"`),
		"../api/web/stale.go":       regexp.MustCompile(`stale\w+ += "([a-z-]+)"`),
		"../api/web/ready.go":       regexp.MustCompile(`(?:add\(|notice\{)"([a-z-]+)"`),
		"../api/web/warnings.go":    regexp.MustCompile(`add\("([a-z-]+)"`),
		"../reconciler/leader/*.go": regexp.MustCompile(`ReasonCode = "([a-z_]+)"`),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		before := len(codes)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, match := range found.FindAllStringSubmatch(source(t, file), -1) {
				codes[strings.Join(match[1:], "")] = file
			}
		}
		if len(codes) == before {
			t.Errorf("%s has no codes any more: this test does not know how it names them", pattern)
		}
	}
	return codes
}

// Everything that the program can report has an entry in the troubleshooting guide.
func TestEveryCodeIsExplained(t *testing.T) {
	guide := source(t, "../docs/troubleshooting.md")
	codes := reported(t)
	if len(codes) < 60 {
		t.Fatalf("only %d codes", len(codes))
	}
	for code, file := range codes {
		if !strings.Contains(guide, "`"+code+"`") {
			t.Errorf("docs/troubleshooting.md says nothing about %s (%s)", code, file)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#: ]+)(#[^)]*)?\)`)

// Links between the pages lead somewhere.
func TestLinksOfTheDocs(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md") {
		for _, match := range link.FindAllStringSubmatch(source(t, page), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
