package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/duration"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// fileSettings is what one node's file says about the whole cluster.
type fileSettings struct {
	value   *pb.SettingsValue
	encoded []byte
	digest  string
}

// clusterSettings takes what is cluster-wide out of a node's file: everything of
// GitOps but paths and credentials.
func clusterSettings(c *config.Config, repository string) (*fileSettings, error) {
	g := &c.GitOps
	value := &pb.SettingsValue{
		RepositoryUrl: repository, PollIntervalMs: g.Watcher.PollInterval().Milliseconds(),
		HistoryLimit: uint32(g.HistoryLimit), DryRun: g.DryRun,
		MaxFileBytes: g.Limits.MaxFileBytes, MaxBundleBytes: g.Limits.MaxBundleBytes, MaxFiles: uint32(g.Limits.MaxFiles),
		FetchTimeoutMs: g.Limits.FetchTimeout.Milliseconds(), FetchMemoryBytes: g.Limits.FetchMemoryBytes,
		Identities: g.Identities,
	}
	for _, e := range g.EnvironmentList() {
		p, err := filePolicy(e.Name, g.PolicyFor(e.Name))
		if err != nil {
			return nil, err
		}
		value.Environments = append(value.Environments, &pb.EnvironmentValue{
			Name: e.Name, Branch: e.Branch, Policy: p, Verification: fileVerification(g.VerificationFor(e.Name)),
		})
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode the settings: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return &fileSettings{value: value, encoded: encoded, digest: hex.EncodeToString(sum[:])}, nil
}

// fileVerification is what signatures count for; nil for nothing.
func fileVerification(rule config.VerificationRule) *pb.VerificationValue {
	if rule.Mode == "none" {
		return nil
	}
	return &pb.VerificationValue{Mode: rule.Mode, EveryCommit: rule.Commits == "all"}
}

// filePolicy is an environment's policy as the file has it, defaults filled in.
func filePolicy(environment string, p config.DeploymentPolicy) (*pb.PolicyValue, error) {
	document, err := policyDocument(p)
	if err != nil {
		return nil, err
	}
	override, problems := policy.ParseEnvironment("appsettings.json", environment, document)
	if catalog.HasErrors(problems) {
		return nil, fmt.Errorf("GitOps.DeploymentPolicies.%s: %w", environment, problems[0])
	}
	resolved, err := policy.Resolve(environment, nil, &override)
	if err != nil {
		return nil, fmt.Errorf("GitOps.DeploymentPolicies.%s: %w", environment, err)
	}
	return resolved.Value()
}

// policyDocument writes what the file says as the policy parser reads it, so
// that one parser alone knows the rules.
func policyDocument(p config.DeploymentPolicy) ([]byte, error) {
	m := map[string]any{}
	set(m, "requiresApproval", p.RequiresApproval)
	set(m, "minimumApprovers", p.MinimumApprovers)
	set(m, "forbidAuthorApproval", p.ForbidAuthorApproval)
	setDuration(m, "approvalTimeout", p.ApprovalTimeout)
	if len(p.AllowedDays) > 0 {
		m["allowedDays"] = p.AllowedDays
	}
	if p.AllowedHours.Start != nil && p.AllowedHours.End != nil {
		m["allowedHours"] = map[string]string{"start": *p.AllowedHours.Start, "end": *p.AllowedHours.End}
	}
	set(m, "timeZone", p.TimeZone)
	set(m, "autoRollback", p.AutoRollback)
	set(m, "rollbackRequiresApproval", p.RollbackRequiresApproval)
	set(m, "afterRollback", p.AfterRollback)
	set(m, "forcePush", p.ForcePush)
	set(m, "minimumRiskLevelForApproval", p.MinimumRiskLevelForApproval)
	setDuration(m, "healthCheckTimeout", p.HealthCheckTimeout)
	setDuration(m, "stagingTimeout", p.StagingTimeout)
	return json.Marshal(m)
}

func set[T any](m map[string]any, key string, value *T) {
	if value != nil {
		m[key] = *value
	}
}

func setDuration(m map[string]any, key string, value *time.Duration) {
	if value != nil {
		m[key] = duration.Format(*value)
	}
}
