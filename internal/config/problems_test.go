package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAllProblemsAtOnce shows each kind of mistake in one file, with its place and remedy.
func TestAllProblemsAtOnce(t *testing.T) {
	_, err := Parse("app.json", []byte(`{
  "GitOps": {
    "RepositoryUrl": "https://bot:hunter2@example.com/x.git",
    "StateDirectory": ["a"],
    "Watcher": { "Brunch": "main", "Environment": "common", "PollIntervalSeconds": "abc" },
    "Limits": { "FetchTimeout": 60, "MaxFiles": 0 },
    "DryRun": "yes",
    "DryRun": true,
    "Credentials": { "Password": { "x": "hunter2" } },
    "DeploymentPolicy": { "AllowedDays": "Monday", "ForcePush": "never", "AllowedHours": { "Start": "9" }, "TimeZone": "Mars/Base" }
  },
  "Cluster": { "NodeId": true, "Join": [":7702", "b"], "Frobnicate": 1, "GossipKey": "hunter2", "Voter": 1 },
  "Api": [],
}`), []string{"Cluster__RaftMultiplier=fast"})
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("not ErrInvalid: %v", err)
	}
	want := []string{
		`app.json:8:5: GitOps.DryRun: the key is there twice (case does not tell keys apart); keep one`,
		`app.json:4:23: GitOps.StateDirectory: a list is not text; write "…"`,
		`app.json:5:84: GitOps.Watcher.PollIntervalSeconds: "abc" is not a whole number; write 30`,
		`app.json:5:28: GitOps.Watcher.Brunch: unknown key; did you mean GitOps.Watcher.Branch?`,
		`app.json:10:42: GitOps.DeploymentPolicy.AllowedDays: "Monday" is not a list; write ["Sunday"], or as environment variables GitOps__DeploymentPolicy__AllowedDays__0, GitOps__DeploymentPolicy__AllowedDays__1, …`,
		`app.json:10:101: GitOps.DeploymentPolicy.AllowedHours.Start: "9" is not a time of day; write "09:30"`,
		`app.json:10:120: GitOps.DeploymentPolicy.TimeZone: "Mars/Base" is not a time zone that this machine knows; write "Europe/Berlin" or "UTC"`,
		`app.json:10:65: GitOps.DeploymentPolicy.ForcePush: "never" is none of approve, allow; write "approve"`,
		`app.json:7:15: GitOps.DryRun: "yes" is neither true nor false; write true`,
		`app.json:9:34: GitOps.Credentials.Password: a section is not secret text; write "…"`,
		`app.json:6:49: GitOps.Limits.MaxFiles: 0 must be from 1 to 1000000; write 10000`,
		`app.json:6:33: GitOps.Limits.FetchTimeout: 60 is not a duration; write "01:30:00" (hours, minutes, seconds), "1.00:00:00" (with days) or "90s"`,
		`app.json:12:26: Cluster.NodeId: true is not text; write "…"`,
		`app.json:12:41: Cluster.Join.0: ":7702" names no host; write "10.0.0.1:7702"`,
		`app.json:12:50: Cluster.Join.1: "b" is not an address; write "10.0.0.1:7702"`,
		`environment variable Cluster__RaftMultiplier: Cluster.RaftMultiplier: "fast" is not a whole number; write 1`,
		`app.json:12:106: Cluster.Voter: 1 is neither true nor false; write true`,
		`app.json:12:70: Cluster.Frobnicate: unknown key; the keys here are NodeId, DataDirectory, RaftAddress, GossipAddress, AdvertiseHost, BootstrapExpect, Join, GossipKey, RaftMultiplier, Voter, Tls, Insecure, Name`,
		`app.json:13:10: Api: a list is not a section; write { … }`,
		`app.json:3:22: GitOps.RepositoryUrl: holds a password; move it to GitOps.Credentials.Password`,
		`app.json:5:51: GitOps.Watcher.Environment: "common" cannot be an environment; use letters, digits, ".", "_" and "-", at most 63, and not "common"`,
		`app.json: Cluster.DataDirectory: is required; for example "/var/honua/cluster"`,
		`app.json:12:86: Cluster.GossipKey: must be 16, 24 or 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64`,
		`app.json: Cluster.Tls: is required, because Cluster.RaftAddress ":7701" is reachable from other machines; on a network of its own, Cluster.Insecure: true allows plain text`,
		`app.json: Api.Tls: or Cluster.Tls is required, because Api.GrpcAddress ":7700" is reachable from other machines; on a network of its own, Cluster.Insecure: true allows plain text`,
	}
	got := strings.Split(err.Error(), "\n")
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("a secret is in the message")
	}
}

func TestSingleProblems(t *testing.T) {
	tests := []struct {
		name, from, to, want string
	}{
		{"not JSON", `}`, `{`, "app.json: not JSON"},
		{"no repository", `"RepositoryUrl": "file:///srv/config", `, ``, "GitOps.RepositoryUrl: is missing"},
		{"no state directory", `"StateDirectory": "/s/deployments", `, ``, "GitOps.StateDirectory: is required"},
		{"no environment", `"Environment": "staging"`, ``, "GitOps.Watcher.Environment: is required"},
		{"empty branch", `"Environment":`, `"Branch": "", "Environment":`, "GitOps.Watcher.Branch: is empty"},
		{"environment name", `"staging"`, `"../x"`, `"../x" cannot be an environment`},
		{"node name", `"n1"`, `"a/b"`, `"a/b" cannot be a node's name`},
		{"cluster name", `"NodeId"`, `"Name": "A.b", "NodeId"`, `"A.b" cannot be a cluster's name`},
		{"half of TLS", `"NodeId"`, `"Tls": { "CaFile": "a", "CertFile": "c" }, "NodeId"`, "Cluster.Tls.KeyFile: is missing"},
		{"raft off loopback", `"127.0.0.1:7701"`, `"10.0.0.1:7701"`, "app.json: Cluster.Tls: is required"},
		{"gossip off loopback", `"localhost:7702"`, `":7702"`, "Cluster.GossipKey: is required"},
		{"API off loopback", `"[::1]:7700"`, `"0.0.0.0:7700"`, "Api.Tls: or Cluster.Tls is required"},
		{"half of a window", `"Watcher"`, `"DeploymentPolicy": { "AllowedHours": { "End": "24:00" } }, "Watcher"`, "AllowedHours: needs both"},
		{"window never opens", `"Watcher"`, `"DeploymentPolicies": { "staging": { "AllowedDays": [] } }, "Watcher"`, "nothing could ever be deployed"},
		{"port", `"GrpcAddress"`, `"HttpAddress": "[::1]:77000", "GrpcAddress"`, "has no port from 0 to 65535"},
		{"unknown policy key", `"Watcher"`, `"DeploymentPolicies": { "staging": { "AutoRolback": true } }, "Watcher"`, "did you mean GitOps.DeploymentPolicies.staging.AutoRollback?"},
		{"unknown section", `"Watcher"`, `"Signing": { "Mode": "required" }, "Watcher"`, "GitOps.Signing: unknown key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := strings.Replace(minimal, test.from, test.to, 1)
			if file == minimal {
				t.Fatal("the test changes nothing")
			}
			_, err := Parse("app.json", []byte(file), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %q in it", err, test.want)
			}
			if problems := (Problems{}); !errors.As(err, &problems) || len(problems) != 1 {
				t.Errorf("more than one problem:\n%v", err)
			}
		})
	}
}

func TestInsecureAllowsPlainTextOffLoopback(t *testing.T) {
	file := strings.NewReplacer("127.0.0.1:7701", ":7701", "localhost:7702", ":7702", "[::1]:7700", ":7700").Replace(minimal)
	c, err := Parse("app.json", []byte(file), []string{"Cluster__Insecure=true"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Cluster.AdvertiseHost != "" {
		t.Errorf("advertises %q although every interface is listened on", c.Cluster.AdvertiseHost)
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"Branch", "Environment", "PollIntervalSeconds"}
	for name, want := range map[string]string{"brnch": "Branch", "Envronment": "Environment", "PollInterval": "", "x": "", "PollIntervalSecond": "PollIntervalSeconds"} {
		if got := nearest(name, candidates); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := distance("kitten", "sitting"); got != 3 {
		t.Errorf("distance = %d, want 3", got)
	}
}
