package config

import (
	"maps"
	"slices"
	"strings"
)

// Verification says which signatures of commits count, and by whose keys. The
// files are each node's own; the rest is the same in the whole cluster.
type Verification struct {
	VerificationRule
	// PGPKeyringFiles, SSHAllowedSignersFile and SSHRevokedKeysFile name who may sign; absolute.
	PGPKeyringFiles       []string
	SSHAllowedSignersFile string
	SSHRevokedKeysFile    string
}

// VerificationRule is what signatures count for in one environment.
type VerificationRule struct {
	// Mode is none, warn or required; "" where another rule holds.
	Mode string
	// Commits is head or all; "" where another rule holds.
	Commits string
}

// VerificationFor returns the rule of an environment, defaults filled in.
func (g *GitOps) VerificationFor(environment string) VerificationRule {
	rule := g.Verification.VerificationRule
	for name, own := range g.Verifications {
		if !strings.EqualFold(name, environment) {
			continue
		}
		if own.Mode != "" {
			rule.Mode = own.Mode
		}
		if own.Commits != "" {
			rule.Commits = own.Commits
		}
	}
	if rule.Mode == "" {
		rule.Mode = "none"
	}
	if rule.Commits == "" {
		rule.Commits = "head"
	}
	return rule
}

func (v *Verification) describe(t *table) {
	v.VerificationRule.describe(t)
	list(t, "PgpKeyringFiles", plain(), &v.PGPKeyringFiles, "Files of public PGP keys, armored or not, whose owners may sign commits. Read at every check.")
	one(t, "SshAllowedSignersFile", plain(), &v.SSHAllowedSignersFile, preset{}, "Who may sign commits with SSH, as ssh-keygen describes it. Read at every check.")
	one(t, "SshRevokedKeysFile", plain(), &v.SSHRevokedKeysFile, preset{}, "SSH public keys or SHA256 fingerprints that count no more, one on a line.")
}

func (v *VerificationRule) describe(t *table) {
	one(t, "Mode", oneOf("none", "warn", "required"), &v.Mode, derived("none"),
		"Whether commits have to be signed. required: what is not is never deployed; warn: it is said.")
	one(t, "Commits", oneOf("head", "all"), &v.Commits, derived("head"),
		"Which commits: the newest one, or all since the deployed one.")
}

func (c *Config) checkVerification() (problems Problems) {
	v := c.GitOps.Verification
	if len(v.PGPKeyringFiles) > 0 || v.SSHAllowedSignersFile != "" {
		return nil
	}
	for _, e := range c.GitOps.EnvironmentList() {
		if c.GitOps.VerificationFor(e.Name).Mode != "none" {
			problems = append(problems, c.problem("GitOps.Verification",
				"names nobody who may sign for environment %s; set PgpKeyringFiles or SshAllowedSignersFile", e.Name))
			return problems
		}
	}
	return nil
}

// warnVerifications names environments that do not exist.
func (c *Config) warnVerifications() {
	environments := c.GitOps.EnvironmentList()
	for _, name := range slices.Sorted(maps.Keys(c.GitOps.Verifications)) {
		if !slices.ContainsFunc(environments, func(e Environment) bool { return strings.EqualFold(e.Name, name) }) {
			c.Warnings = append(c.Warnings, c.problem("GitOps.Verifications."+name, "no such environment is configured; it has no effect"))
		}
	}
}
