package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/honua-io/honua-gitops/internal/support"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// debugAPI is a node that sends these parts, and then an error if there is one.
type debugAPI struct {
	*fakeAPI
	pb.UnimplementedDebugServiceServer
	parts  []*pb.CollectDebugResponse
	failed error
}

func (d *debugAPI) CollectDebug(_ *pb.CollectDebugRequest, out grpc.ServerStreamingServer[pb.CollectDebugResponse]) error {
	for _, part := range d.parts {
		if err := out.Send(part); err != nil {
			return err
		}
	}
	return d.failed
}

func (d *debugAPI) serve(t *testing.T) string {
	t.Helper()
	d.fakeAPI.more = func(server *grpc.Server) { pb.RegisterDebugServiceServer(server, d) }
	return d.fakeAPI.serve(t)
}

// opened reads a bundle: what is below its one folder, and the index.
func opened(t *testing.T, path string) (map[string]string, support.Index) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	var index support.Index
	for files := tar.NewReader(inner); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			if err := json.Unmarshal([]byte(found["index.json"]), &index); err != nil {
				t.Fatal(err)
			}
			return found, index
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		root, name, _ := strings.Cut(header.Name, "/")
		if !strings.HasPrefix(root, "honua-debug-") {
			t.Errorf("%s is not in the bundle's folder", header.Name)
		}
		found[name] = string(content)
	}
}

// problemWith is what a bundle's index says of a file.
func problemWith(index support.Index, name string) string {
	for _, p := range index.Problems {
		if p.Name == name {
			return p.Message
		}
	}
	return ""
}

// A bundle has what can be collected, says what cannot, and holds no secret even if a node sends one.
func TestDebugBundle(t *testing.T) {
	part := func(name, data, problem string) *pb.CollectDebugResponse {
		return &pb.CollectDebugResponse{NodeId: "node1", Name: name, Data: []byte(data), Error: problem}
	}
	api := &debugAPI{fakeAPI: &fakeAPI{}, parts: []*pb.CollectDebugResponse{
		part("log.txt", "a line\npassword=can", ""), part("log.txt", "ary\n", ""), part("gone.json", "", "no such file"), part("../../escape", "x", ""),
	}, failed: refusal(codes.Internal, "internal", "it broke with https://u:canary@h/")}
	address := api.serve(t)
	api.status = &pb.GetStatusResponse{LeaderId: "node1", Servers: []*pb.Server{{Id: "node1", GrpcAddress: address}, {Id: "node2", GrpcAddress: "127.0.0.1:1"}}}
	path := filepath.Join(t.TempDir(), "bundle.tar.gz")
	r := honua(t, "debug", "bundle", path, "--address", address, "--duration", "30ms", "--interval", "10ms")
	if r.code != 0 || !strings.Contains(r.out, "files; look into it") || !strings.Contains(r.err, "not collected: nodes/node2") {
		t.Fatalf("%d %s%s", r.code, r.out, r.err)
	}
	found, index := opened(t, path)
	if got := found["nodes/node1/log.txt"]; got != "a line\npassword=[redacted]\n" {
		t.Errorf("log: %q", got)
	}
	if !strings.Contains(found["cluster/status.json"], `"leaderId": "node1"`) || found["nodes/node1/samples/001/log.txt"] == "" || found["client/version.json"] == "" {
		t.Errorf("%d files: %+v", len(found), index.Files)
	}
	for name, words := range map[string]string{
		"nodes/node1/gone.json": "no such file", "nodes/node1/../../escape": "not one of a file in the bundle", "nodes/node1/the rest": "it broke with https://[redacted]@h/",
		"nodes/node2": "no node answers", "cluster/members.json": "not implemented",
	} {
		if got := problemWith(index, name); !strings.Contains(got, words) {
			t.Errorf("%s: %q, want %q", name, got, words)
		}
	}
	if again := honua(t, "debug", "bundle", path, "--address", address); again.code != 1 || !strings.Contains(again.err, "is there already") {
		t.Errorf("overwritten: %d %s", again.code, again.err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// Without a node that answers there is no bundle, unless a configuration names one on this machine; then its files are there.
func TestDebugBundleWithoutANode(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bundle.tar.gz")
	if r := honua(t, "debug", "bundle", path, "--address", "127.0.0.1:1"); r.code != 1 || !strings.Contains(r.err, "no node answers") {
		t.Errorf("%d %s", r.code, r.err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	p := newPatient(t)
	p.replace("${file:%DIR%/gossip.key}", "Y2FuYXJ5LWdvc3NpcC1rIQ==")
	p.file("appsettings.json", strings.ReplaceAll(p.text, "%DIR%", p.dir), 0o600)
	p.mkdir("state", 0o700)
	p.file("state/production.json", `{"environment":"production"}`, 0o600)
	input := strings.Repeat("noise\n", 10) + "key Y2FuYXJ5LWdvc3NpcC1rIQ== honua_" + strings.Repeat("a", 52) + "\n"
	r := honuaWith(t.Context(), t, input, "debug", "bundle", path, "--address", "127.0.0.1:1", "--config", filepath.Join(p.dir, "appsettings.json"), "--log", "-", "-o", "json")
	if r.code != 0 {
		t.Fatalf("%d %s", r.code, r.err)
	}
	found, index := opened(t, path)
	if !strings.Contains(found["local/state/production.json"], "production") || !strings.Contains(found["local/configuration.json"], `"Cluster.GossipKey"`) {
		t.Errorf("%+v", index.Files)
	}
	for name, content := range found {
		if strings.Contains(content, "Y2FuYXJ5") || strings.Contains(content, "aaaaaaaaaa") {
			t.Errorf("%s has a secret: %s", name, content)
		}
	}
	if !strings.Contains(problemWith(index, "local/journal.jsonl"), "no such file") || !strings.Contains(found["local/log.txt"], "noise") {
		t.Errorf("%+v", index.Problems)
	}
	var shown bundleView
	if err := json.Unmarshal([]byte(r.out), &shown); err != nil || shown.File != path || len(shown.Files) != len(index.Files) {
		t.Errorf("%v: %s", err, r.out)
	}
}

func TestDebugBundleFlags(t *testing.T) {
	for _, args := range [][]string{{"--duration", "-1s"}, {"--interval", "0s"}, {"one", "two"}} {
		if r := honua(t, append([]string{"debug", "bundle"}, args...)...); r.code != 1 {
			t.Errorf("%v: %d %s", args, r.code, r.err)
		}
	}
	if summary := instant(0) + instant(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli()); summary != "2026-01-02T03:04:05Z" {
		t.Errorf("instants are %q", summary)
	}
}
