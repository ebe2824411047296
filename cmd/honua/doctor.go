package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

// doctor looks at what a valid configuration means on this machine: what will
// not work, and what is weak.
type doctor struct {
	file   string
	config *config.Config
	now    time.Time
	home   string

	problems, warnings []configFlaw
}

// examine makes every check; what it finds says what to do.
func (d *doctor) examine(ctx context.Context) {
	d.checkSecrets()
	d.checkCertificates()
	d.checkRepository()
	d.checkDirectories()
	d.checkExposure()
	d.checkVoters()
	d.checkPolicies()
	d.checkClocks(ctx)
}

func (d *doctor) wrong(key, format string, args ...any) {
	d.problems = append(d.problems, configFlaw{Source: d.file, Key: key, Message: fmt.Sprintf(format, args...)})
}

func (d *doctor) weak(key, format string, args ...any) {
	d.warnings = append(d.warnings, configFlaw{Source: d.file, Key: key, Message: fmt.Sprintf(format, args...)})
}

// open reports whether others than the owner may read a file or folder that is there.
func open(path string) (fs.FileMode, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), tlsfiles.OthersMayRead(info)
}

// checkSecrets: a secret in the file makes the file one.
func (d *doctor) checkSecrets() {
	mode, readable := open(d.file)
	for _, s := range []struct {
		key    string
		secret config.Secret
	}{
		{"Cluster.GossipKey", d.config.Cluster.GossipKey},
		{"GitOps.Credentials.Password", d.config.GitOps.Credentials.Password},
		{"GitOps.Webhook.Secret", d.config.GitOps.Webhook.Secret},
		{"Auth.AdminToken", d.config.Auth.AdminToken},
	} {
		if s.secret == "" {
			continue
		}
		if strings.Contains(s.secret.Reveal(), "${") {
			if _, err := s.secret.Expand(); err != nil {
				d.wrong(s.key, "cannot be expanded: %v", err)
			}
			d.checkSecretFile(s.key, s.secret.Reveal())
			continue
		}
		if readable {
			d.wrong(s.key, "stands in a file that others may read (mode %#o); run: chmod 600 %s", mode, d.file)
		} else {
			d.weak(s.key, "stands in the configuration file itself; move it to a file of its own and write ${file:/path}")
		}
	}
}

// checkSecretFile looks at the files that a secret is read from.
func (d *doctor) checkSecretFile(key, text string) {
	for {
		_, rest, found := strings.Cut(text, "${file:")
		if !found {
			return
		}
		path, after, _ := strings.Cut(rest, "}")
		if mode, readable := open(path); readable {
			d.wrong(key, "is in %s, which others may read (mode %#o); run: chmod 600 %s", path, mode, path)
		}
		text = after
	}
}

// checkRepository: hosts that are not known are refused, and keys that others may read are no secret.
func (d *doctor) checkRepository() {
	c := d.config.GitOps
	url := c.RepositoryURL
	if strings.HasPrefix(url, "http://") {
		d.weak("GitOps.RepositoryUrl", "is not encrypted: whoever is in between decides what is deployed; use https:// or ssh://")
	}
	ssh := strings.HasPrefix(url, "ssh://") || !strings.Contains(url, "://") && strings.Contains(url, ":")
	if !ssh {
		return
	}
	known := c.Credentials.SSHKnownHostsFile
	if known == "" {
		known = filepath.Join(d.home, ".ssh", "known_hosts")
	}
	if info, err := os.Stat(known); err != nil || info.Size() == 0 {
		d.wrong("GitOps.Credentials.SshKnownHostsFile",
			"%s is not there or empty, and hosts that are not known are refused; compare the host's key with what its owner publishes, then run: ssh-keyscan HOST >> %s", known, known)
	}
	if key := c.Credentials.SSHKeyFile; key != "" {
		if _, err := os.Stat(key); err != nil {
			d.wrong("GitOps.Credentials.SshKeyFile", "cannot be read: %v", err)
		} else if mode, readable := open(key); readable {
			d.wrong("GitOps.Credentials.SshKeyFile", "%s may be read by others (mode %#o); run: chmod 600 %s", key, mode, key)
		}
	}
}

func (d *doctor) checkDirectories() {
	for _, dir := range []struct{ key, path string }{
		{"Cluster.DataDirectory", d.config.Cluster.DataDirectory},
		{"GitOps.StateDirectory", d.config.GitOps.StateDirectory},
		{"GitOps.ApprovalDirectory", d.config.GitOps.ApprovalDirectory},
	} {
		if mode, readable := open(dir.path); readable {
			d.weak(dir.key, "%s may be read by others (mode %#o); run: chmod 700 %s", dir.path, mode, dir.path)
		}
	}
}

// checkExposure: what is said in so many words is allowed, and still weak.
func (d *doctor) checkExposure() {
	c := d.config
	if c.Cluster.Insecure {
		d.weak("Cluster.Insecure", "is true: whoever reaches the ports can be a node; make certificates with: honua tls ca, then leave it out")
	}
	if !c.AuthEnabled() {
		d.weak("Auth.Enabled", "nobody has to say who they are: everybody who reaches %s may do everything; that is for one machine", c.API.GRPCAddress)
	}
	if !c.API.TLS.Enabled() && !onlyHere(c.API.HTTPAddress) {
		d.weak("Api.Tls",
			"is not set, and Api.HttpAddress %q is reachable from other machines: what is served can be read and altered on its way; set it, or put a proxy with TLS before it", c.API.HTTPAddress)
	}
	if c.AuthEnabled() && c.Auth.AdminToken == "" && len(c.Auth.Identities) == 0 && c.Auth.OIDC.Issuer == "" && !c.Cluster.TLS.Enabled() && c.API.TLS.CAFile == "" {
		d.wrong("Auth", "there is no way in: no authority for client certificates, no Auth.AdminToken and no Auth.Oidc; set one of them")
	}
}

func onlyHere(address string) bool {
	return strings.HasPrefix(address, "127.") || strings.HasPrefix(address, "localhost:") || strings.HasPrefix(address, "[::1]:")
}

func (d *doctor) checkVoters() {
	n := d.config.Cluster.BootstrapExpect
	if n%2 == 0 {
		d.weak("Cluster.BootstrapExpect", "is %d: an even number of voters survives no more failures than %d do, and has one more that can fail; use %d", n, n-1, n+1)
	}
}

func (d *doctor) checkPolicies() {
	for _, e := range d.config.GitOps.EnvironmentList() {
		if !strings.EqualFold(e.Name, "production") {
			continue
		}
		policy := d.config.GitOps.PolicyFor(e.Name)
		key := "GitOps.DeploymentPolicies." + e.Name
		off := func(name string, value *bool, what string) {
			if value != nil && !*value {
				d.weak(key+"."+name, "is false: %s", what)
			}
		}
		off("RequiresApproval", policy.RequiresApproval, "whoever can push decides what production serves; leave it out for the default")
		off("ForbidAuthorApproval", policy.ForbidAuthorApproval, "who wrote a change may approve it alone; leave it out for the default")
		off("AutoRollback", policy.AutoRollback, "what fails its checks after activation stays; leave it out for the default")
	}
}

// hosts are the other nodes that the configuration names.
func (d *doctor) hosts() []string {
	var hosts []string
	for _, seed := range d.config.Cluster.Join {
		host := seed[:max(0, strings.LastIndex(seed, ":"))]
		if host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
