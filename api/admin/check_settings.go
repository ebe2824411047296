package admin

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// Bounds of settings.
const (
	maxPollInterval   = 24 * time.Hour
	maxHistoryLimit   = 1_000_000
	maxSettingsFiles  = 1_000_000
	maxSettingsBytes  = 1 << 40
	leastFetchMemory  = 16 << 20
	maxFetchTimeout   = 24 * time.Hour
	maxPolicyDocument = 64 << 10
)

// settings checks settings and makes of them what is replicated.
func (c *check) settings(m *pb.Settings) *pb.SettingsValue {
	if m == nil {
		c.add("settings", "is required")
		return nil
	}
	c.repository(m.GetRepositoryUrl())
	v := &pb.SettingsValue{
		RepositoryUrl: m.GetRepositoryUrl(), DryRun: m.GetDryRun(), Identities: m.GetIdentities(),
		PollIntervalMs: c.span("settings.poll_interval", m.GetPollInterval(), maxPollInterval),
		FetchTimeoutMs: c.span("settings.fetch_timeout", m.GetFetchTimeout(), maxFetchTimeout),
		HistoryLimit:   uint32(c.number("settings.history_limit", int64(m.GetHistoryLimit()), 1, maxHistoryLimit)),
		MaxFiles:       uint32(c.number("settings.max_files", int64(m.GetMaxFiles()), 1, maxSettingsFiles)),
		MaxFileBytes:   c.number("settings.max_file_bytes", m.GetMaxFileBytes(), 1, maxSettingsBytes),
		MaxBundleBytes: c.number("settings.max_bundle_bytes", m.GetMaxBundleBytes(), 1, maxSettingsBytes),
		FetchMemoryBytes: c.number("settings.fetch_memory_bytes", m.GetFetchMemoryBytes(),
			leastFetchMemory, maxSettingsBytes),
	}
	for name, identity := range m.GetIdentities() {
		c.name("settings.identities", name)
		c.name("settings.identities["+name+"]", identity)
	}
	for i, e := range m.GetEnvironments() {
		v.Environments = append(v.Environments, c.environmentSettings(fmt.Sprintf("settings.environments[%d]", i), e))
	}
	return v
}

func (c *check) repository(address string) {
	c.name("settings.repository_url", address)
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return
	}
	// The user of an SSH address is a part of it; that of the others may be a token.
	if _, set := u.User.Password(); set || !strings.Contains(u.Scheme, "ssh") {
		c.add("settings.repository_url", "holds a login: credentials are each node's own, in GitOps.Credentials")
	}
}

func (c *check) environmentSettings(field string, e *pb.EnvironmentSettings) *pb.EnvironmentValue {
	c.name(field+".name", e.GetName())
	c.name(field+".branch", e.GetBranch())
	return &pb.EnvironmentValue{
		Name: e.GetName(), Branch: e.GetBranch(), Policy: c.policy(field+".policy_json", e),
		Verification: &pb.VerificationValue{Mode: e.GetVerificationMode(), EveryCommit: e.GetVerifyEveryCommit()},
	}
}

// policy reads a policy as the repository's is read, so that one parser alone
// knows the rules, and what is decided by is what the text says.
func (c *check) policy(field string, e *pb.EnvironmentSettings) *pb.PolicyValue {
	text := e.GetPolicyJson()
	if len(text) > maxPolicyDocument {
		c.add(field, "has %d bytes, at most %d are allowed", len(text), maxPolicyDocument)
		return nil
	}
	if text == "" {
		text = "{}"
	}
	override, problems := policy.ParseEnvironment(field, e.GetName(), []byte(text))
	for _, p := range problems {
		c.add(field, "%s", p.Error())
	}
	if len(problems) > 0 {
		return nil
	}
	resolved, err := policy.Resolve(e.GetName(), nil, &override)
	if err != nil {
		c.add(field, "%s", err)
		return nil
	}
	value, err := resolved.Value()
	if err != nil {
		c.add(field, "%s", err)
	}
	return value
}

// number checks a whole number.
func (c *check) number(field string, value, least, most int64) int64 {
	if value < least || value > most {
		c.add(field, "is %d: from %d to %d", value, least, most)
	}
	return value
}

// span checks a duration of at least a second, and returns it in milliseconds.
func (c *check) span(field string, d *durationpb.Duration, most time.Duration) int64 {
	value := d.AsDuration()
	if d.CheckValid() != nil || value < time.Second || value > most {
		c.add(field, "is %s: from %s to %s", value, time.Second, most)
	}
	return value.Milliseconds()
}

// spanMessage is a number of milliseconds as a duration.
func spanMessage(ms int64) *durationpb.Duration {
	return durationpb.New(time.Duration(ms) * time.Millisecond)
}
