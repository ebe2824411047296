package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// DifferingSettings are the keys, as a node's file spells them, under which that
// file says something else than what is in force, sorted. It names keys, and
// never what they hold. While nothing is in force nothing differs.
func DifferingSettings(inForce *fsm.Settings, file *pb.SettingsValue) []string {
	if inForce == nil || file == nil {
		return nil
	}
	was, is := keysInForce(inForce), keysOfFile(file)
	keys := differingKeys(was.all, is.all)
	for _, name := range union(was.environments, is.environments) {
		before, after := was.environments[name], is.environments[name]
		if before == nil || after == nil {
			keys = append(keys, "GitOps.Environments."+name)
			continue
		}
		keys = append(keys, differingKeys(before, after)...)
	}
	slices.Sort(keys)
	return keys
}

// keyed are settings by key: those of all, and those of each environment by its name.
type keyed struct {
	all          map[string]any
	environments map[string]map[string]any
}

func differingKeys(a, b map[string]any) (keys []string) {
	for _, key := range union(a, b) {
		was, before := a[key]
		is, after := b[key]
		if before != after || was != is {
			keys = append(keys, key)
		}
	}
	return keys
}

// union are the keys that one of two maps has, or both.
func union[V any](a, b map[string]V) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}

func keysInForce(s *fsm.Settings) keyed {
	k := keyed{environments: map[string]map[string]any{}, all: map[string]any{
		"GitOps.RepositoryUrl": s.RepositoryURL, "GitOps.Watcher.PollIntervalSeconds": s.PollInterval,
		"GitOps.HistoryLimit": s.HistoryLimit, "GitOps.DryRun": s.DryRun,
		"GitOps.Limits.MaxFileBytes": s.MaxFileBytes, "GitOps.Limits.MaxBundleBytes": s.MaxBundleBytes,
		"GitOps.Limits.MaxFiles": s.MaxFiles, "GitOps.Limits.FetchTimeout": s.FetchTimeout,
		"GitOps.Limits.FetchMemoryBytes": s.FetchMemoryBytes,
	}}
	addIdentities(k.all, s.Identities)
	for _, e := range s.Environments {
		var policy []byte
		if e.Policy != nil {
			policy = e.Policy.Canonical
		}
		k.environments[e.Name] = environmentKeys(e.Name, e.Branch, policy, e.Verification)
	}
	return k
}

func keysOfFile(s *pb.SettingsValue) keyed {
	k := keyed{environments: map[string]map[string]any{}, all: map[string]any{
		"GitOps.RepositoryUrl": s.GetRepositoryUrl(), "GitOps.Watcher.PollIntervalSeconds": s.GetPollIntervalMs(),
		"GitOps.HistoryLimit": s.GetHistoryLimit(), "GitOps.DryRun": s.GetDryRun(),
		"GitOps.Limits.MaxFileBytes": s.GetMaxFileBytes(), "GitOps.Limits.MaxBundleBytes": s.GetMaxBundleBytes(),
		"GitOps.Limits.MaxFiles": s.GetMaxFiles(), "GitOps.Limits.FetchTimeout": s.GetFetchTimeoutMs(),
		"GitOps.Limits.FetchMemoryBytes": s.GetFetchMemoryBytes(),
	}}
	addIdentities(k.all, s.GetIdentities())
	for _, e := range s.GetEnvironments() {
		k.environments[e.GetName()] = environmentKeys(e.GetName(), e.GetBranch(), e.GetPolicy().GetCanonical(),
			fsm.Verification{Mode: e.GetVerification().GetMode(), EveryCommit: e.GetVerification().GetEveryCommit()})
	}
	return k
}

// addIdentities adds what names who commits: in force it is in lower case, and
// of names that differ in case alone the first in byte order counts.
func addIdentities(keys map[string]any, identities map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(identities)) {
		key := "GitOps.Identities." + strings.ToLower(name)
		if _, known := keys[key]; !known {
			keys[key] = identities[name]
		}
	}
}

func environmentKeys(name, branch string, policy []byte, v fsm.Verification) map[string]any {
	keys := map[string]any{"GitOps.Environments." + name + ".Branch": branch}
	if v.Mode != "" && v.Mode != "none" {
		keys["GitOps.Verifications."+name+".Mode"] = v.Mode
		keys["GitOps.Verifications."+name+".Commits"] = v.EveryCommit
	}
	rules := "GitOps.DeploymentPolicies." + name
	var byName map[string]json.RawMessage
	if json.Unmarshal(policy, &byName) != nil {
		keys[rules] = string(policy)
	}
	for rule, value := range byName {
		if rule != "" {
			keys[rules+"."+strings.ToUpper(rule[:1])+rule[1:]] = string(value)
		}
	}
	return keys
}

// shownKeys is the most keys that a notice names.
const shownKeys = 6

// someOf names keys, and how many more there are.
func someOf(keys []string) string {
	if len(keys) <= shownKeys {
		return strings.Join(keys, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(keys[:shownKeys], ", "), len(keys)-shownKeys)
}
