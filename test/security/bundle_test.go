package security

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/internal/support"
	"github.com/honua-io/honua-gitops/test/harness"
)

// unpackBundle reads a support bundle; its one folder is left out of the names.
func unpackBundle(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	inner, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for files := tar.NewReader(inner); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(header.Name, "/")
		found[name] = string(content)
	}
}

// checkBundle makes sure that a bundle of a whole cluster has what docs/troubleshooting.md says.
func checkBundle(t *testing.T, path string, nodes []*harness.Node) {
	t.Helper()
	found := unpackBundle(t, path)
	var index support.Index
	if err := json.Unmarshal([]byte(found["index.json"]), &index); err != nil || len(index.Problems) > 0 || len(index.Files) != len(found)-1 {
		t.Errorf("%v, %+v of %d files", err, index.Problems, len(found))
	}
	want := map[string]string{
		"client/version.json": `"version"`, "cluster/status.json": `"leaderId"`, "cluster/members.json": `"alive"`, "cluster/environments.json": `"staging"`,
		"cluster/deployments.json": `"Failed"`, "cluster/activations/development.json": `"activations"`, "cluster/audit.json": `"token.create`,
	}
	for _, n := range nodes {
		for name, text := range map[string]string{
			"version.json": `"version"`, "configuration.json": `"Cluster.NodeId"`, "checks.json": `"warnings"`, "files.json": "raft.db", "journal.jsonl": `"phase"`,
			"state/development.json": `"deployedCommit"`, "log.txt": "Honua GitOps starting", "replicated.json": `"auditLast"`, "raft.json": `"LeaderID"`,
			"health/ready.json": `"status"`, "health/gitops.json": `"GitWatcher"`, "metrics.prom": "honua_build_info", "goroutines.txt": "goroutine ", "process.json": `"goroutines"`,
			"heap.pprof": "", "samples/001/metrics.prom": "honua_build_info", "samples/001/goroutines.txt": "goroutine ",
		} {
			want["nodes/"+n.ID+"/"+name] = text
		}
	}
	for name, text := range want {
		if content, there := found[name]; !there || !strings.Contains(content, text) {
			t.Errorf("%s is not as it should be: there %v, %.200s", name, there, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
}
