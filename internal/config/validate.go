package config

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// check looks at what single values cannot show.
func (c *Config) check() Problems {
	var problems Problems
	problems = append(problems, c.checkRepository()...)
	problems = append(problems, c.checkEnvironments()...)
	problems = append(problems, c.checkPolicies()...)
	problems = append(problems, c.checkVerification()...)
	problems = append(problems, c.checkCluster()...)
	problems = append(problems, c.checkTLS()...)
	problems = append(problems, c.checkAuth()...)
	return append(problems, c.checkEncryption()...)
}

func (c *Config) checkRepository() (problems Problems) {
	if c.GitOps.RepositoryURL == "" && c.GitOps.RepositoryPath == "" {
		problems = append(problems, c.problem("GitOps.RepositoryUrl", "is missing; name the repository, or a clone of it in GitOps.RepositoryPath"))
	}
	if u, err := url.Parse(c.GitOps.RepositoryURL); err == nil && u.User != nil {
		if _, withPassword := u.User.Password(); withPassword {
			problems = append(problems, c.problem("GitOps.RepositoryUrl", "holds a password; move it to GitOps.Credentials.Password"))
		}
	}
	if c.GitOps.StateDirectory == "" {
		problems = append(problems, c.problem("GitOps.StateDirectory", `is required; for example "/var/honua/deployments"`))
	}
	return problems
}

var environmentName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func (c *Config) checkEnvironments() (problems Problems) {
	environments := c.GitOps.EnvironmentList()
	if len(environments) == 0 {
		problems = append(problems, c.problem("GitOps.Watcher.Environment", `is required; for example "production", or several under GitOps.Environments`))
	}
	for _, e := range environments {
		key := "GitOps.Environments." + e.Name
		if e.Name == c.GitOps.Watcher.Environment {
			key = "GitOps.Watcher.Environment"
		}
		if !environmentName.MatchString(e.Name) || strings.EqualFold(e.Name, "common") {
			problems = append(problems, c.problem(key,
				`%q cannot be an environment; use letters, digits, ".", "_" and "-", at most 63, and not "common"`, e.Name))
		}
		if e.Branch == "" {
			problems = append(problems, c.problem("GitOps.Watcher.Branch", `is empty; for example "main"`))
		}
	}
	return problems
}

func (c *Config) checkPolicies() (problems Problems) {
	check := func(section string, policy DeploymentPolicy) {
		if (policy.AllowedHours.Start == nil) != (policy.AllowedHours.End == nil) {
			problems = append(problems, c.problem(section+".AllowedHours", "needs both Start and End"))
		}
		if policy.AllowedDays != nil && len(policy.AllowedDays) == 0 {
			problems = append(problems, c.problem(section+".AllowedDays", "is empty, so that nothing could ever be deployed; leave it out for every day"))
		}
	}
	check("GitOps.DeploymentPolicy", c.GitOps.DeploymentPolicy)
	for _, name := range slices.Sorted(maps.Keys(c.GitOps.DeploymentPolicies)) {
		check("GitOps.DeploymentPolicies."+name, c.GitOps.DeploymentPolicies[name])
	}
	return problems
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func (c *Config) checkCluster() (problems Problems) {
	if !nodeName.MatchString(c.Cluster.NodeID) {
		problems = append(problems, c.problem("Cluster.NodeId",
			`%q cannot be a node's name; use letters, digits, ".", "_" and "-", at most 63`, c.Cluster.NodeID))
	}
	if !clusterName.MatchString(c.Cluster.Name) {
		problems = append(problems, c.problem("Cluster.Name",
			`%q cannot be a cluster's name; use lower-case letters, digits and "-", at most 63`, c.Cluster.Name))
	}
	if c.Cluster.DataDirectory == "" {
		problems = append(problems, c.problem("Cluster.DataDirectory", `is required; for example "/var/honua/cluster"`))
	}
	if !strings.Contains(c.Cluster.GossipKey.Reveal(), "${") {
		if _, err := c.Cluster.DecodeGossipKey(); err != nil {
			problems = append(problems, c.problem("Cluster.GossipKey", "must be 16, 24 or 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64"))
		}
	}
	return problems
}

// clusterName is a DNS label: it becomes a part of the names in certificates.
var clusterName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (c *Config) checkTLS() (problems Problems) {
	require := func(section, key, value string) {
		if value == "" {
			problems = append(problems, c.problem(section+"."+key, "is missing; %s needs its certificate and key together", section))
		}
	}
	if c.Cluster.TLS.Enabled() {
		require("Cluster.Tls", "CaFile", c.Cluster.TLS.CAFile)
		require("Cluster.Tls", "CertFile", c.Cluster.TLS.CertFile)
		require("Cluster.Tls", "KeyFile", c.Cluster.TLS.KeyFile)
	}
	if c.API.TLS.Enabled() {
		require("Api.Tls", "CertFile", c.API.TLS.CertFile)
		require("Api.Tls", "KeyFile", c.API.TLS.KeyFile)
	}
	return problems
}

// checkEncryption refuses plain text off loopback unless it is asked for.
func (c *Config) checkEncryption() (problems Problems) {
	if c.Cluster.Insecure {
		return nil
	}
	const remedy = "; on a network of its own, Cluster.Insecure: true allows plain text"
	if !c.Cluster.TLS.Enabled() && !loopback(c.Cluster.RaftAddress) {
		problems = append(problems, c.problem("Cluster.Tls",
			"is required, because Cluster.RaftAddress %q is reachable from other machines%s", c.Cluster.RaftAddress, remedy))
	}
	if c.Cluster.GossipKey == "" && !loopback(c.Cluster.GossipAddress) {
		problems = append(problems, c.problem("Cluster.GossipKey",
			"is required, because Cluster.GossipAddress %q is reachable from other machines%s", c.Cluster.GossipAddress, remedy))
	}
	if !c.API.TLS.Enabled() && !c.Cluster.TLS.Enabled() && !loopback(c.API.GRPCAddress) {
		problems = append(problems, c.problem("Api.Tls",
			"or Cluster.Tls is required, because Api.GrpcAddress %q is reachable from other machines%s", c.API.GRPCAddress, remedy))
	}
	return problems
}
