package test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/pages"
)

// typist is what types the commands of a mark: a test in a file, or a script.
type typist struct{ file, test string }

// typists are by the mark that stands behind "console" at the beginning of a block. They type every block with their mark,
// in all pages.
func typists() map[string]typist {
	return map[string]typist{
		"development": {"test/acceptance/docs_test.go", "TestCommandsOfTheDocs"},
		"production":  {"test/acceptance/docs_production_test.go", "TestProductionCommandsOfTheDocs"},
		"repository":  {"test/acceptance/docs_production_test.go", "TestRepositoryCommandsOfTheDocs"},

		"recover": {"test/recovery/recover_test.go", "TestRecoverALostMajority"},
		"repair":  {"test/recovery/recover_test.go", "TestRecoverALostMajority"},
		"stopped": {"test/recovery/recover_test.go", "TestRecoverALostMajority"},
		"skip":    {"test/recovery/docs_test.go", "TestSkipAnEntryThatHaltsEveryNode"},
		"rolling": {"test/recovery/script_test.go", "TestDocumentedRollingRestarts"},

		"tls":         {"test/security/docs_test.go", "TestDocumentedCluster"},
		"node":        {"test/security/docs_test.go", "TestDocumentedCluster"},
		"check":       {"test/security/docs_test.go", "TestDocumentedCluster"},
		"client":      {"test/security/docs_test.go", "TestDocumentedCluster"},
		"gossip":      {"test/security/docs_test.go", "TestDocumentedCluster"},
		"token":       {"test/security/docs_test.go", "TestDocumentedCluster"},
		"admin-token": {"test/security/docs_test.go", "TestDocumentedCluster"},

		// With root, and programs beside Go and git.
		"dev":        {"test/system/docs_test.go", "TestDocumentedFirstMinute"},
		"postgis":    {"test/system/docs_test.go", "TestDocumentedDatabase"},
		"source":     {"test/system/docs_test.go", "TestDocumentedOperations"},
		"init":       {"test/system/docs_test.go", "TestDocumentedOperations"},
		"server":     {"test/system/docs_test.go", "TestDocumentedOperations"},
		"webhook":    {"test/system/docs_test.go", "TestDocumentedOperations"},
		"signatures": {"test/system/docs_test.go", "TestDocumentedOperations"},
	}
}

// parsed are the commands that nothing types, under the mark of that name, by the reason.
func parsed() map[string][]string {
	return map[string][]string{
		"it is what the tests are, or longer": {
			"make test", ".ci/run", "make fuzz", "make lint", "make proto",
			"make sim", "SEEDS=100000 FROM=200000 make sim", "make sim TAGS=honua_next_format", "make losses", "LOSSES=250 FROM=1000 make losses",
		},
		"it takes minutes to hours on a machine of its own": {
			"make bench", "make bench BENCH_FLAGS='-run failover -n 20'", "make bench BENCH_FLAGS='-run features'", "make bench BENCH_FLAGS='-run postgis'",
			"make bench-compare BASE=/tmp/before/results.txt",
			"make chaos", "make chaos CHAOS_FLAGS='--minutes 2 --seed 7 --nodes 5 --faults kill,partition,power'", "make soak SOAK_MINUTES=180", "make chaos-planted",
		},
		"README.md has it too, where it is typed": {"make run"},
		"images come from a registry; make test-docker types the same with images of its own": {
			"export HONUA_REPOSITORY=https://github.com/your-org/honua-config.git",
			"docker-compose -f deploy/docker/docker-compose.gitops.yml up -d --build",
		},
		"it needs a Kubernetes cluster; make test-kubernetes checks what is applied": {"kubectl apply -k deploy/kubernetes/overlays/production"},
	}
}

var (
	remark    = regexp.MustCompile(`\s+#.*$`)
	goingOn   = regexp.MustCompile(`\s*\\\n\s*`)
	languages = []string{"", "console", "json", "text", "yaml"}
)

// Every block of a page is fenced and says what it is; if it holds commands, which test types them.
func TestEveryBlockHasATypist(t *testing.T) {
	known := typists()
	for _, block := range pages.All(t) {
		mark, console := block.Console()
		language, _, _ := strings.Cut(block.Info, " ")
		switch _, typed := known[mark]; {
		case block.Indented || language == "" || !slices.Contains(languages, language):
			t.Errorf("%s: put the block between ```LANGUAGE and ```, with one of %v; commands are in ```console MARK", block.Place(), languages[1:])
		case !console && strings.Contains("\n"+block.Text, "\n$ "):
			t.Errorf("%s: commands are in ```console MARK", block.Place())
		case console && len(block.Commands()) == 0:
			t.Errorf("%s: no line begins with a prompt", block.Place())
		case console && mark != "parsed" && !typed && !typedByScript(t, mark):
			t.Errorf("%s: nothing types what is marked %q: have a test do it, and name it in typists", block.Place(), mark)
		}
	}
}

// typedByScript reports whether a mark is one of those that deploy/systemd/test.sh types on hosts with systemd.
func typedByScript(t *testing.T, mark string) bool {
	t.Helper()
	return strings.HasPrefix(mark, "systemd ") && strings.Contains(source(t, "../deploy/systemd/test.sh"), mark)
}

// The tests that are named as typists are there, and each mark is used.
func TestTypistsAreThere(t *testing.T) {
	for mark, by := range typists() {
		if !strings.Contains(source(t, filepath.Join("..", by.file)), "func "+by.test+"(") {
			t.Errorf("%s, which types %q, is not in %s", by.test, mark, by.file)
		}
		pages.Marked(t, mark)
	}
}

// What nothing types is on the list of it, with a reason, and what is on the list is in a page. Of make's targets, their
// variables and flags, and files of the module there is what the commands name.
func TestCommandsThatAreOnlyParsed(t *testing.T) {
	left := map[string]string{}
	for why, commands := range parsed() {
		for _, command := range commands {
			left[command] = why
		}
	}
	listed := maps.Clone(left)
	for _, block := range pages.Marked(t, "parsed") {
		for _, command := range block.Commands() {
			command = goingOn.ReplaceAllString(remark.ReplaceAllString(command, ""), " ")
			if listed[command] == "" {
				t.Errorf("%s: nothing types %q: have a test do it, or give a reason in parsed", block.Place(), command)
			}
			delete(left, command)
			checkNames(t, block, command)
		}
	}
	for command, why := range left {
		t.Errorf("no page has %q, which is on the list because %s", command, why)
	}
}

var (
	madeTarget   = regexp.MustCompile(`\bmake ([a-z-]+)`)
	madeVariable = regexp.MustCompile(`\b([A-Z_]+)=`)
	madeFlag     = regexp.MustCompile(`[ '=]-{1,2}([a-z]+)`)
	ownFile      = regexp.MustCompile(`(?:^| )((?:deploy/|\.ci/)\S+)`)
)

// flagsOf is the folder of the program that a variable's flags are for.
func flagsOf(variable string) string {
	return map[string]string{"BENCH_FLAGS": "../test/bench", "CHAOS_FLAGS": "../test/chaos/cmd/honua-chaos"}[variable]
}

func checkNames(t *testing.T, block pages.Block, command string) {
	t.Helper()
	makefile := source(t, "../Makefile")
	for _, m := range ownFile.FindAllStringSubmatch(command, -1) {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Errorf("%s: %v", block.Place(), err)
		}
	}
	target := madeTarget.FindStringSubmatch(command)
	if target == nil {
		return
	}
	if !strings.Contains(makefile, "\n"+target[1]+":") {
		t.Errorf("%s: make has no target %s", block.Place(), target[1])
	}
	for _, m := range madeVariable.FindAllStringSubmatch(command, -1) {
		if !strings.Contains(makefile, "$("+m[1]+")") {
			t.Errorf("%s: make does not know %s", block.Place(), m[1])
		}
		if dir := flagsOf(m[1]); dir != "" {
			checkFlags(t, block, command, dir)
		}
	}
}

// checkFlags looks for the names of flags in the sources of the program.
func checkFlags(t *testing.T, block pages.Block, command, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, files, err)
	}
	program := ""
	for _, file := range files {
		program += source(t, file)
	}
	for _, m := range madeFlag.FindAllStringSubmatch(command, -1) {
		if !strings.Contains(program, `"`+m[1]+`"`) {
			t.Errorf("%s: %s has no flag %s", block.Place(), dir, m[1])
		}
	}
}

func source(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
