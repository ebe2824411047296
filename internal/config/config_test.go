package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// minimal is a valid file, to which tests add keys with the variables of the environment.
const minimal = `{
  "GitOps": { "RepositoryUrl": "file:///srv/config", "StateDirectory": "/s/deployments", "Watcher": { "Environment": "staging" } },
  "Cluster": { "NodeId": "n1", "DataDirectory": "/d", "RaftAddress": "127.0.0.1:7701", "GossipAddress": "localhost:7702" },
  "Api": { "GrpcAddress": "[::1]:7700" }
}`

func ptr[T any](v T) *T { return &v }

func TestLoadFullFile(t *testing.T) {
	got, err := Load("testdata/full.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		GitOps: GitOps{
			RepositoryURL: "git@github.com:acme/honua-config.git", RepositoryPath: "/var/honua/gitops-repo",
			StateDirectory: "/var/honua/deployments", ApprovalDirectory: "/var/honua/approvals",
			Credentials:  Credentials{Password: "${GIT_TOKEN}"},
			Watcher:      Watcher{Branch: "main", PollIntervalSeconds: 30},
			Environments: map[string]Environment{"production": {Branch: "release"}, "eu-west": {}},
			DeploymentPolicy: DeploymentPolicy{
				AllowedDays: []string{"Monday", "Tuesday"}, TimeZone: ptr("UTC"), MinimumApprovers: ptr(2),
			},
			DeploymentPolicies: map[string]DeploymentPolicy{"production": {
				RequiresApproval: ptr(true), ApprovalTimeout: ptr(36 * time.Hour), MinimumApprovers: ptr(3),
				AllowedHours: AllowedHours{ptr("09:00"), ptr("17:00")}, MinimumRiskLevelForApproval: ptr("Medium"),
			}},
			HistoryLimit: 200, EnableMetrics: true,
			Limits: Limits{MaxFileBytes: 16 << 20, MaxBundleBytes: 64 << 20, MaxFiles: 10_000, FetchTimeout: 90 * time.Second, FetchMemoryBytes: 512 << 20},
		},
		Cluster: Cluster{
			NodeID: "node1", DataDirectory: "/var/honua/cluster", RaftAddress: "10.0.0.1:7701", GossipAddress: ":7702",
			AdvertiseHost: "10.0.0.1", BootstrapExpect: 3, Join: []string{"10.0.0.1:7702", "10.0.0.2:7702"},
			GossipKey: "MDEyMzQ1Njc4OTAxMjM0NQ==", RaftMultiplier: 1, Voter: true, Name: "honua",
			TLS: TLS{CAFile: "/etc/honua/ca.pem", CertFile: "/etc/honua/node.pem", KeyFile: "/etc/honua/node.key"},
		},
		API:      API{GRPCAddress: ":7700", HTTPAddress: ":8080", MetricsAddress: ":8080"},
		Auth:     Auth{OIDC: OIDC{IdentityClaim: "email", GroupsClaim: "groups"}},
		Backup:   Backup{Directory: "/var/honua/backups", Interval: 6 * time.Hour, Keep: 7},
		Registry: Registry{DataDirectory: "/var/honua/cluster/data", ProbeInterval: 10 * time.Second},
		Serilog:  Serilog{MinimumLevel{Default: "Warning", Override: map[string]string{"Honua.Server.Core.GitOps": "Debug"}}},
		Logging:  Logging{Format: "json"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
	environments := []Environment{{"eu-west", "main"}, {"production", "release"}}
	if diff := cmp.Diff(environments, got.GitOps.EnvironmentList()); diff != "" {
		t.Errorf("EnvironmentList (-want +got):\n%s", diff)
	}
	policy := got.GitOps.PolicyFor("PRODUCTION")
	if *policy.MinimumApprovers != 3 || *policy.TimeZone != "UTC" || len(policy.AllowedDays) != 2 {
		t.Errorf("PolicyFor does not lay the environment's own over the general policy: %+v", policy)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("Validate after Load: %v", err)
	}
}

func TestEnvironmentVariablesOverrideTheFile(t *testing.T) {
	c, err := Parse("f.json", []byte(minimal), []string{
		"GitOps__Watcher__PollIntervalSeconds=60",
		"GITOPS__WATCHER__BRANCH=develop",
		"GitOps__Credentials__Password=hunter2",
		"GitOps__DeploymentPolicy__AutoRollback=False",
		"GitOps__DeploymentPolicies__staging__ApprovalTimeout=02:00:00",
		"Cluster__Join__1=10.0.0.2:7702", "Cluster__Join__0=10.0.0.1:7702", "Cluster__Join__10=10.0.0.3:7702",
		"Serilog__MinimumLevel__Override__gitsync=Debug",
		"Serilog__MinimumLevel__Default=error",
		"PATH=/bin", "Cluster=ignored", "Other__Key=x", "GitOps____=x",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.GitOps.Watcher != (Watcher{Branch: "develop", Environment: "staging", PollIntervalSeconds: 60}) || c.GitOps.Watcher.PollInterval() != time.Minute {
		t.Errorf("watcher: %+v", c.GitOps.Watcher)
	}
	if got := c.GitOps.Credentials.Password.Reveal(); got != "hunter2" {
		t.Errorf("password: %q", got)
	}
	if p := c.GitOps.PolicyFor("staging"); *p.AutoRollback || *p.ApprovalTimeout != 2*time.Hour {
		t.Errorf("policy: %+v", p)
	}
	if diff := cmp.Diff([]string{"10.0.0.1:7702", "10.0.0.2:7702", "10.0.0.3:7702"}, c.Cluster.Join); diff != "" {
		t.Errorf("join (-want +got):\n%s", diff)
	}
	if c.Serilog.MinimumLevel.Default != "Error" || c.Serilog.MinimumLevel.Override["gitsync"] != "Debug" {
		t.Errorf("levels: %+v", c.Serilog)
	}
}

func TestVariableReplacesOneListElement(t *testing.T) {
	file := strings.Replace(minimal, `"NodeId"`, `"Join": ["a:1", "b:1"], "NodeId"`, 1)
	c, err := Parse("f.json", []byte(file), []string{"Cluster__Join__1=c:1", "Cluster__Join__2=d:1"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a:1", "c:1", "d:1"}, c.Cluster.Join); diff != "" {
		t.Errorf("join (-want +got):\n%s", diff)
	}
}

func TestShortMinimumLevel(t *testing.T) {
	c, err := Parse("f.json", []byte(strings.TrimSuffix(minimal, "}")+`, "Serilog": { "MinimumLevel": "Debug" } }`), nil)
	if err != nil || c.Serilog.MinimumLevel.Default != "Debug" {
		t.Fatalf("got %+v, %v", c, err)
	}
}

func TestWarnings(t *testing.T) {
	c, err := Parse("f.json", []byte(strings.TrimSuffix(minimal, "}")+`, "Notifications": {} }`),
		[]string{"GitOps__DeploymentPolicies__prodution__RequiresApproval=true"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Problem{
		{"f.json:5:20", "Notifications", "this version has no such section; it has no effect"},
		{"environment variable GitOps__DeploymentPolicies__prodution__RequiresApproval", "GitOps.DeploymentPolicies.prodution", "no such environment is configured; it has no effect"},
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestRelativeDirectoriesAreMadeAbsolute(t *testing.T) {
	c, err := Parse("f.json", []byte(minimal), []string{"GitOps__StateDirectory=x/state"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := filepath.Abs("x/approvals")
	if err != nil || c.GitOps.ApprovalDirectory != want {
		t.Errorf("approval directory %q, want %q", c.GitOps.ApprovalDirectory, want)
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.json"), nil)
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestReferenceIsComplete(t *testing.T) {
	seen := map[string]bool{}
	var lines []string
	for _, entry := range Reference() {
		if seen[entry.Key] || entry.Text == "" || entry.Type == "" {
			t.Errorf("entry twice or not documented: %+v", entry)
		}
		seen[entry.Key] = true
		lines = append(lines, entry.Key+" | "+entry.Type+" | "+entry.Default)
	}
	golden := "testdata/reference.golden"
	got := strings.Join(lines, "\n") + "\n"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("keys changed; they are a contract (UPDATE_GOLDEN=1 rewrites) (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full, "Cluster__Join__0", "10.0.0.1:7702")
	f.Add([]byte(minimal), "GitOps__Watcher", "x")
	f.Add([]byte(`{"GitOps":{"a:b":1,"A":2}}`), "GitOps__a__0", "")
	f.Add([]byte(`[]`), "", "")
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		c, err := Parse("f.json", data, []string{name + "=" + value})
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("not ErrInvalid: %v", err)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("Parse accepted what Validate refuses: %v", err)
		}
	})
}
