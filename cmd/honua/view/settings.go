package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/internal/duration"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Settings are what all nodes agree on, under the keys of a node's file.
type Settings struct {
	GitOps       GitOps `json:"gitOps"`
	FileDigest   string `json:"fileDigest"`
	AppliedIndex uint64 `json:"appliedIndex"`
}

// GitOps is the cluster-wide part of the section of that name.
type GitOps struct {
	RepositoryURL      string                         `json:"repositoryUrl"`
	Watcher            Watcher                        `json:"watcher"`
	Environments       map[string]EnvironmentSettings `json:"environments"`
	DeploymentPolicies map[string]json.RawMessage     `json:"deploymentPolicies"`
	Verifications      map[string]Verification        `json:"verifications"`
	Identities         map[string]string              `json:"identities"`
	HistoryLimit       uint32                         `json:"historyLimit"`
	DryRun             bool                           `json:"dryRun"`
	Limits             Limits                         `json:"limits"`
}

// Watcher says how often the repository is polled.
type Watcher struct {
	PollIntervalSeconds int64 `json:"pollIntervalSeconds"`
}

// EnvironmentSettings say what an environment follows.
type EnvironmentSettings struct {
	Branch string `json:"branch"`
}

// Verification says what signatures count for in an environment.
type Verification struct {
	Mode    string `json:"mode"`
	Commits string `json:"commits"`
}

// Limits bound what is read from the repository.
type Limits struct {
	MaxFileBytes     int64  `json:"maxFileBytes"`
	MaxBundleBytes   int64  `json:"maxBundleBytes"`
	MaxFiles         uint32 `json:"maxFiles"`
	FetchTimeout     string `json:"fetchTimeout"`
	FetchMemoryBytes int64  `json:"fetchMemoryBytes"`
}

// NewSettings converts settings.
func NewSettings(m *pb.Settings) Settings {
	g := GitOps{
		RepositoryURL:      m.GetRepositoryUrl(),
		Watcher:            Watcher{PollIntervalSeconds: int64(m.GetPollInterval().AsDuration() / time.Second)},
		Environments:       map[string]EnvironmentSettings{},
		DeploymentPolicies: map[string]json.RawMessage{},
		Verifications:      map[string]Verification{},
		Identities:         map[string]string{},
		HistoryLimit:       m.GetHistoryLimit(), DryRun: m.GetDryRun(),
		Limits: Limits{
			MaxFileBytes: m.GetMaxFileBytes(), MaxBundleBytes: m.GetMaxBundleBytes(), MaxFiles: m.GetMaxFiles(),
			FetchTimeout: duration.Format(m.GetFetchTimeout().AsDuration()), FetchMemoryBytes: m.GetFetchMemoryBytes(),
		},
	}
	maps.Copy(g.Identities, m.GetIdentities())
	for _, e := range m.GetEnvironments() {
		g.Environments[e.GetName()] = EnvironmentSettings{Branch: e.GetBranch()}
		g.DeploymentPolicies[e.GetName()] = json.RawMessage(e.GetPolicyJson())
		commits := "head"
		if e.GetVerifyEveryCommit() {
			commits = "all"
		}
		g.Verifications[e.GetName()] = Verification{Mode: e.GetVerificationMode(), Commits: commits}
	}
	return Settings{GitOps: g}
}

// Setting is one key of the settings and its value as JSON.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Flat lists the settings key by key, in the order of the keys.
func (s Settings) Flat() ([]Setting, error) {
	encoded, err := json.Marshal(s.GitOps)
	if err != nil {
		return nil, fmt.Errorf("write the settings: %w", err)
	}
	var tree map[string]any
	if err := json.Unmarshal(encoded, &tree); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return flatten("gitOps", tree, nil)
}

func flatten(path string, value any, to []Setting) (_ []Setting, err error) {
	if object, nested := value.(map[string]any); nested {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if to, err = flatten(path+"."+key, object[key], to); err != nil {
				return nil, err
			}
		}
		return to, nil
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return append(to, Setting{Key: path, Value: string(encoded)}), nil
}

// SettingChange is one key whose value differs; an empty value is a key that
// is not there.
type SettingChange struct {
	Key    string `json:"key"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Changes lists what differs between two settings, in the order of the keys.
func (s Settings) Changes(after Settings) ([]SettingChange, error) {
	was, err := s.Flat()
	if err != nil {
		return nil, err
	}
	is, err := after.Flat()
	if err != nil {
		return nil, err
	}
	pairs := map[string]SettingChange{}
	for _, e := range was {
		pairs[e.Key] = SettingChange{Key: e.Key, Before: e.Value}
	}
	for _, e := range is {
		pairs[e.Key] = SettingChange{Key: e.Key, Before: pairs[e.Key].Before, After: e.Value}
	}
	changes := []SettingChange{}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		if pair := pairs[key]; pair.Before != pair.After {
			changes = append(changes, pair)
		}
	}
	return changes, nil
}
