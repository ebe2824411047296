package config

import (
	"os"
	"path/filepath"
	"strings"
)

// derive fills in what follows from other settings, and makes directories absolute.
func (c *Config) derive() Problems {
	var problems Problems
	if c.Cluster.NodeID == "" {
		name, err := os.Hostname()
		if err != nil {
			problems = append(problems, c.problem("Cluster.NodeId", "is not set and the host has no name: %v", err))
		}
		c.Cluster.NodeID = name
	}
	if host := hostOf(c.Cluster.RaftAddress); c.Cluster.AdvertiseHost == "" && host != "0.0.0.0" && host != "::" {
		c.Cluster.AdvertiseHost = host
	}
	if c.API.MetricsAddress == "" {
		c.API.MetricsAddress = c.API.HTTPAddress
	}
	if c.GitOps.ApprovalDirectory == "" && c.GitOps.StateDirectory != "" {
		c.GitOps.ApprovalDirectory = filepath.Join(c.GitOps.StateDirectory, "..", "approvals")
	}
	if c.Registry.DataDirectory == "" && c.Cluster.DataDirectory != "" {
		c.Registry.DataDirectory = filepath.Join(c.Cluster.DataDirectory, "data")
	}
	return append(problems, c.makeAbsolute()...)
}

// makeAbsolute resolves relative paths against the working directory, once.
func (c *Config) makeAbsolute() (problems Problems) {
	type place struct {
		key   string
		value *string
	}
	places := []place{
		{"GitOps.RepositoryPath", &c.GitOps.RepositoryPath},
		{"GitOps.StateDirectory", &c.GitOps.StateDirectory},
		{"GitOps.ApprovalDirectory", &c.GitOps.ApprovalDirectory},
		{"Cluster.DataDirectory", &c.Cluster.DataDirectory},
		{"Registry.DataDirectory", &c.Registry.DataDirectory},
		{"Backup.Directory", &c.Backup.Directory},
		{"GitOps.Verification.SshAllowedSignersFile", &c.GitOps.Verification.SSHAllowedSignersFile},
		{"GitOps.Verification.SshRevokedKeysFile", &c.GitOps.Verification.SSHRevokedKeysFile},
	}
	for i := range c.GitOps.Verification.PGPKeyringFiles {
		places = append(places, place{"GitOps.Verification.PgpKeyringFiles", &c.GitOps.Verification.PGPKeyringFiles[i]})
	}
	for _, path := range places {
		if *path.value == "" {
			continue
		}
		absolute, err := filepath.Abs(*path.value)
		if err != nil {
			problems = append(problems, c.problem(path.key, "%v", err))
			continue
		}
		*path.value = absolute
	}
	return problems
}

func hostOf(hostport string) string {
	i := strings.LastIndex(hostport, ":")
	if i < 0 {
		return ""
	}
	return strings.Trim(hostport[:i], "[]")
}
