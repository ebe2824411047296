package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is shown of a configuration has every key that is set, where it came from, and no secret.
func TestValues(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("canary-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse("appsettings.json", []byte(`{
  "GitOps": { "RepositoryUrl": "https://canary-user@git.example.org/c.git", "StateDirectory": "/state",
    "Environments": { "production": {} }, "Identities": { "ada@example.org": "ada" },
    "DeploymentPolicies": { "production": { "ApprovalTimeout": "02:00:00" } },
    "Credentials": { "Password": "canary-password" }, "Webhook": { "Secret": "${file:`+file+`}" } },
  "Cluster": { "NodeId": "n1", "DataDirectory": "/data", "RaftAddress": "127.0.0.1:7701", "GossipAddress": "127.0.0.1:7702" },
  "Api": { "GrpcAddress": "127.0.0.1:7700" },
  "Auth": { "Identities": { "grace": { "Roles": ["viewer"] } }, "AdminToken": "${HONUA_NOT_SET_ANYWHERE}" }
}`), []string{"Cluster__Name=gis"})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]Value{}
	for _, value := range c.Values() {
		shown[value.Key] = value
	}
	text, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "canary") {
		t.Errorf("shows a secret: %s", text)
	}
	for key, want := range map[string]string{
		"GitOps.RepositoryUrl":                                 `"https://redacted@git.example.org/c.git"`,
		"GitOps.Credentials.Password":                          `"[redacted]"`,
		"GitOps.Credentials.Username":                          `""`,
		"GitOps.Identities.ada@example.org":                    `"ada"`,
		"GitOps.DeploymentPolicies.production.ApprovalTimeout": `"02:00:00"`,
		"GitOps.Limits.FetchTimeout":                           `"00:01:00"`,
		"GitOps.ApprovalDirectory":                             `"/approvals"`,
		"Auth.Identities.grace.Roles":                          `["viewer"]`,
		"Auth.AdminToken":                                      `"[redacted]"`,
		"Cluster.BootstrapExpect":                              `1`,
	} {
		value, err := json.Marshal(shown[key].Value)
		if err != nil || string(value) != want {
			t.Errorf("%s is %s, want %s (%v)", key, value, want, err)
		}
	}
	if got := shown["Cluster.Name"]; got.Source != "environment variable Cluster__Name" {
		t.Errorf("Cluster.Name is from %q", got.Source)
	}
	if got := shown["Cluster.BootstrapExpect"]; got.Source != "default" {
		t.Errorf("Cluster.BootstrapExpect is from %q", got.Source)
	}
	for key := range shown {
		if strings.Contains(key, "<") {
			t.Errorf("%s is no key of this configuration", key)
		}
	}
	if got := c.Secrets(); !slices.Equal(got, []string{"canary-password", "canary-file"}) {
		t.Errorf("secrets are %q", got)
	}
}

func TestPresentable(t *testing.T) {
	for value, want := range map[any]any{
		"plain":                   "plain",
		"https://h/p?x=1":         "https://h/p?x=1",
		"https://u:p@h/p?token=1": "https://redacted@h/p",
		"https://u:%zz@h/p":       "https://[redacted]",
		"https://h/p?mail=a@b":    "https://h/p",
		"git@host:path":           "git@host:path",
		Secret("x"):               redacted,
		90 * time.Second:          "00:01:30",
		7:                         7,
	} {
		if got := presentable(value); got != want {
			t.Errorf("%v is shown as %v, want %v", value, got, want)
		}
	}
}

// A file of the size that is allowed is read; one byte more is not, and neither is one without end.
func TestFileSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "appsettings.json")
	for size, want := range map[int]string{MaxFileBytes: "is required", MaxFileBytes + 1: "has more than 1048576 bytes"} {
		if err := os.WriteFile(path, []byte("{"+strings.Repeat(" ", size-2)+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if _, err := Load("/dev/zero", nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("without end: %v", err)
	}
}
