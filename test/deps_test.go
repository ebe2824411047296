// Package test holds the checks that concern the whole module.
package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/honua-io/honua-gitops/"

// folderRule says what the packages in a folder may import of this module. The
// rule of the longest matching folder holds; everybody may import its own
// folder, and all but fsm and proto may import internal.
type folderRule struct {
	folder string
	may    []string
	why    string
}

func folderRules() []folderRule {
	const anything = "" // a prefix of every folder
	return []folderRule{
		{"proto", nil, "messages know nothing but messages"},
		{"fsm", []string{"proto"}, "the state machine is pure: what it does follows from its log alone"},
		{"gitsync", nil, "reading a repository is of use without a cluster, and knows nothing of what the files mean"},
		{"reconciler", []string{"fsm", "gitsync", "proto", "reconciler"},
			"the control loops decide from values; cluster and API reach them through interfaces of their own"},
		{"reconciler/catalog", nil, "what a configuration means can be asked offline, without a cluster"},
		{"reconciler/policy", []string{"proto", "reconciler/catalog"}, "what a policy says can be asked offline, without a cluster"},
		{"reconciler/content", []string{"fsm", "reconciler/catalog"}, "what is stored of a content and its plan are values"},
		{"reconciler/registry", []string{"reconciler/catalog"}, "serving goes on without a cluster"},
		{"cluster", []string{"fsm", "proto"}, "replication carries commands and knows nothing of who proposes them"},
		{"api", []string{"fsm", "proto", "reconciler/catalog", "reconciler/content", "reconciler/policy", "reconciler/registry"},
			"the API answers from the state; it reaches cluster and control loops through interfaces of its own"},
		{"internal", []string{"proto"}, "what everybody may import can import nobody"},
		{"cmd", []string{anything}, "the parts are wired here, and only here"},
		{"deploy", []string{anything}, "checks of what is deployed look at all of it"},
		{"test", []string{anything}, "tests drive all of it"},
	}
}

// ownerRule keeps a library behind one package.
type ownerRule struct {
	library string // a prefix of import paths
	owner   string // a folder
	why     string
}

func ownerRules() []ownerRule {
	return []ownerRule{
		{"github.com/hashicorp/raft", "cluster", "its pitfalls are dealt with in one place, and the rest of the program sees terms, proposals and reads"},
		{"github.com/hashicorp/memberlist", "cluster", "gossip finds peers and must never be mistaken for membership"},
		{"github.com/go-git/", "gitsync", "what a hostile repository can do to the library is contained in one place"},
	}
}

// pureRule is what the state machine may import besides proto and itself.
func pureRule() (forbidden, libraries []string, why string) {
	return []string{"time", "os", "net", "math/rand", "crypto/rand", "log", "log/slog", "syscall", "runtime", "unsafe"},
		[]string{"google.golang.org/protobuf/", "github.com/klauspost/compress/", "github.com/hashicorp/go-immutable-radix/"},
		"equal logs must give equal states on every machine, so time, randomness and the outside enter through commands (I11)"
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// TestImports reads what `go list` says of the module, tests aside: they may
// compare a part with anything.
func TestImports(t *testing.T) {
	packages := listPackages(t)
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, problem := range slices.Concat(checkFolder(name, p.Imports), checkOwners(name, p.Imports), checkPure(name, p.Imports)) {
			t.Error(problem)
		}
	}
}

func listPackages(t *testing.T) (packages []goPackage) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	command.Dir = ".."
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaints)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func inFolder(name, folder string) bool {
	return folder == "" || name == folder || strings.HasPrefix(name, folder+"/")
}

func checkFolder(name string, imports []string) (problems []string) {
	var rule *folderRule
	for _, candidate := range folderRules() {
		if inFolder(name, candidate.folder) && (rule == nil || len(candidate.folder) > len(rule.folder)) {
			rule = &candidate
		}
	}
	if rule == nil {
		return []string{name + " is in a folder without a rule: give it one"}
	}
	may := append(slices.Clone(rule.may), rule.folder)
	if rule.folder != "fsm" && rule.folder != "proto" {
		may = append(may, "internal")
	}
	for _, path := range imports {
		imported, ours := strings.CutPrefix(path, module)
		if ours && !slices.ContainsFunc(may, func(folder string) bool { return inFolder(imported, folder) }) {
			problems = append(problems, name+" must not import "+imported+": "+rule.why)
		}
	}
	return problems
}

func checkOwners(name string, imports []string) (problems []string) {
	for _, rule := range ownerRules() {
		if inFolder(name, rule.owner) || inFolder(name, "test") {
			continue
		}
		for _, path := range imports {
			if strings.HasPrefix(path, rule.library) {
				problems = append(problems, name+" must not import "+path+", only "+rule.owner+" may: "+rule.why)
			}
		}
	}
	return problems
}

func checkPure(name string, imports []string) (problems []string) {
	if !inFolder(name, "fsm") {
		return nil
	}
	forbidden, libraries, why := pureRule()
	for _, path := range imports {
		outside := strings.Contains(strings.SplitN(path, "/", 2)[0], ".") && !strings.HasPrefix(path, module)
		allowed := slices.ContainsFunc(libraries, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
		impure := slices.ContainsFunc(forbidden, func(folder string) bool { return inFolder(path, folder) })
		if impure || (outside && !allowed) {
			problems = append(problems, name+" must not import "+path+": "+why)
		}
	}
	return problems
}

// TestImportRulesBite shows that each kind of rule refuses what it is there for.
func TestImportRulesBite(t *testing.T) {
	tests := []struct {
		name, imports string
		refused       bool
	}{
		{"fsm", module + "proto/honua/gitops/v1", false},
		{"fsm", module + "fsm/bundle", false},
		{"fsm", module + "internal/duration", true},
		{"fsm", "time", true},
		{"fsm/bundle", "math/rand/v2", true},
		{"fsm", "net/http", true},
		{"fsm", "github.com/hashicorp/go-hclog", true},
		{"fsm", "google.golang.org/protobuf/proto", false},
		{"gitsync", module + "fsm", true},
		{"gitsync", "github.com/go-git/go-git/v5", false},
		{"reconciler/leader", "github.com/go-git/go-git/v5/plumbing", true},
		{"reconciler/leader", module + "reconciler/policy", false},
		{"reconciler/registry/geojson", module + "fsm", true},
		{"api/admin", module + "cluster", true},
		{"api/admin", "github.com/hashicorp/raft", true},
		{"cluster", "github.com/hashicorp/raft-boltdb/v2", false},
		{"internal/client", module + "api/admin", true},
		{"cmd/honua", module + "cluster", false},
		{"newfolder", "fmt", true},
	}
	for _, test := range tests {
		imports := []string{test.imports}
		problems := slices.Concat(checkFolder(test.name, imports), checkOwners(test.name, imports), checkPure(test.name, imports))
		if (len(problems) > 0) != test.refused {
			t.Errorf("%s importing %s: refused %v, want %v (%q)", test.name, test.imports, !test.refused, test.refused, problems)
		}
	}
}
