package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
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
	was, is := keysOf(inForce, fsm.SettingsOf(file))
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

// keysOf are two settings by key. Environments that are the same in both are left out: there may be a thousand.
func keysOf(inForce, file *fsm.Settings) (was, is keyed) {
	was, is = commonKeys(inForce), commonKeys(file)
	others := map[string]fsm.EnvironmentSettings{}
	for _, e := range file.Environments {
		others[e.Name] = e
	}
	for _, e := range inForce.Environments {
		other, known := others[e.Name]
		delete(others, e.Name)
		if known && reflect.DeepEqual(e, other) {
			continue
		}
		was.environments[e.Name] = environmentKeys(e)
		if known {
			is.environments[e.Name] = environmentKeys(other)
		}
	}
	for name, e := range others {
		is.environments[name] = environmentKeys(e)
	}
	return was, is
}

func commonKeys(s *fsm.Settings) keyed {
	k := keyed{environments: map[string]map[string]any{}, all: map[string]any{
		"GitOps.RepositoryUrl": s.RepositoryURL, "GitOps.Watcher.PollIntervalSeconds": s.PollInterval,
		"GitOps.HistoryLimit": s.HistoryLimit, "GitOps.DryRun": s.DryRun,
		"GitOps.Limits.MaxFileBytes": s.MaxFileBytes, "GitOps.Limits.MaxBundleBytes": s.MaxBundleBytes,
		"GitOps.Limits.MaxFiles": s.MaxFiles, "GitOps.Limits.FetchTimeout": s.FetchTimeout,
		"GitOps.Limits.FetchMemoryBytes": s.FetchMemoryBytes,
	}}
	for name, identity := range s.Identities {
		k.all["GitOps.Identities."+name] = identity
	}
	return k
}

func environmentKeys(e fsm.EnvironmentSettings) map[string]any {
	keys := map[string]any{"GitOps.Environments." + e.Name + ".Branch": e.Branch}
	if e.Verification.Mode != "" {
		keys["GitOps.Verifications."+e.Name+".Mode"] = e.Verification.Mode
		keys["GitOps.Verifications."+e.Name+".Commits"] = e.Verification.EveryCommit
	}
	rules := "GitOps.DeploymentPolicies." + e.Name
	var policy []byte
	if e.Policy != nil {
		policy = e.Policy.Canonical
	}
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
