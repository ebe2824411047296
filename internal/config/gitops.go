package config

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// GitOps says which repository is followed and how. Paths and credentials are
// each node's own; the rest is the same in the whole cluster.
type GitOps struct {
	// RepositoryURL is the remote; "" means the origin of the clone in RepositoryPath.
	RepositoryURL string
	// RepositoryPath is where the local mirror lives, or an operator's clone; absolute or "".
	RepositoryPath string
	// StateDirectory holds {environment}.json; absolute.
	StateDirectory string
	// ApprovalDirectory holds {deploymentId}.json; absolute.
	ApprovalDirectory string
	Credentials       Credentials
	Watcher           Watcher
	// Environments are the environments by name, besides Watcher.Environment; see EnvironmentList.
	Environments map[string]Environment
	// DeploymentPolicy holds for every environment, see PolicyFor.
	DeploymentPolicy DeploymentPolicy
	// DeploymentPolicies go over DeploymentPolicy, by environment.
	DeploymentPolicies map[string]DeploymentPolicy
	// Identities name the credential of each person who commits, by the name or
	// email in Git, so that ForbidAuthorApproval knows them.
	Identities map[string]string
	// HistoryLimit is the number of deployment records kept for each environment, at least 1.
	HistoryLimit int
	// DryRun plans and stages, and activates nothing.
	DryRun        bool
	EnableMetrics bool
	EnableTracing bool
	Webhook       Webhook
	// Verification holds for every environment, Verifications go over it by name; see VerificationFor.
	Verification  Verification
	Verifications map[string]VerificationRule
	Limits        Limits
}

// Credentials identify the node to the Git server. All may be empty.
type Credentials struct {
	Username          Secret
	Password          Secret
	SSHKeyFile        string
	SSHKnownHostsFile string
}

// Watcher says what is polled and how often.
type Watcher struct {
	// Branch is followed by every environment that names no other.
	Branch string
	// Environment is the one environment, or "" when Environments lists them.
	Environment string
	// PollIntervalSeconds is from 1 to 86400.
	PollIntervalSeconds int
}

// PollInterval is PollIntervalSeconds as a duration.
func (w Watcher) PollInterval() time.Duration {
	return time.Duration(w.PollIntervalSeconds) * time.Second
}

// Environment is one of several environments.
type Environment struct {
	// Name is set by EnvironmentList.
	Name string
	// Branch is Watcher.Branch unless set.
	Branch string
}

// Webhook receives hints of pushes; off while Secret is empty.
type Webhook struct {
	Secret   Secret
	Provider string
}

// Limits bound what is accepted from the repository.
type Limits struct {
	MaxFileBytes     int64
	MaxBundleBytes   int64
	MaxFiles         int
	FetchTimeout     time.Duration
	FetchMemoryBytes int64
}

// EnvironmentList returns every environment with its branch, sorted by name.
func (g *GitOps) EnvironmentList() []Environment {
	var found []Environment
	if g.Watcher.Environment != "" {
		found = append(found, Environment{Name: g.Watcher.Environment, Branch: g.Watcher.Branch})
	}
	for _, name := range slices.Sorted(maps.Keys(g.Environments)) {
		branch := g.Environments[name].Branch
		if branch == "" {
			branch = g.Watcher.Branch
		}
		if strings.EqualFold(name, g.Watcher.Environment) {
			found[0].Branch = branch
			continue
		}
		found = append(found, Environment{Name: name, Branch: branch})
	}
	slices.SortFunc(found, func(a, b Environment) int { return strings.Compare(a.Name, b.Name) })
	return found
}

const (
	mib      = 1 << 20
	maxBytes = 1 << 40
)

func (g *GitOps) describe(t *table) {
	one(t, "RepositoryUrl", plain(), &g.RepositoryURL, derived("origin of the clone in RepositoryPath"),
		"The repository: https://, ssh://, git@host:path or file:///. One of RepositoryUrl and RepositoryPath is required.")
	one(t, "RepositoryPath", plain(), &g.RepositoryPath, preset{},
		"Where the local mirror lives. An operator's clone there is read for its origin only.")
	one(t, "StateDirectory", plain(), &g.StateDirectory, derived("required"), "Holds {environment}.json for each environment.")
	one(t, "ApprovalDirectory", plain(), &g.ApprovalDirectory, derived("<StateDirectory>/../approvals"),
		"Holds {deploymentId}.json for each approval asked for.")
	t.section("Credentials", g.Credentials.describe)
	t.section("Watcher", g.Watcher.describe)
	each(t, "Environments", "<name>", &g.Environments, (*Environment).describe)
	t.section("DeploymentPolicy", g.DeploymentPolicy.describe)
	each(t, "DeploymentPolicies", "<environment>", &g.DeploymentPolicies, (*DeploymentPolicy).describe)
	eachOne(t, "Identities", "<name or email in Git>", plain(), &g.Identities,
		"The identity of this person's credential, so that ForbidAuthorApproval knows who committed. Compared regardless of case.")
	one(t, "HistoryLimit", count(1_000_000), &g.HistoryLimit, is("200"), "Deployment records kept for each environment.")
	one(t, "DryRun", flag(), &g.DryRun, is("false"), "Polls, plans, validates and stages; records the plan and activates nothing.")
	one(t, "EnableMetrics", flag(), &g.EnableMetrics, is("true"), "Serve Prometheus metrics.")
	one(t, "EnableTracing", flag(), &g.EnableTracing, is("false"), "Send traces over OTLP, to where OTEL_EXPORTER_OTLP_ENDPOINT says.")
	t.section("Webhook", g.Webhook.describe)
	t.section("Verification", g.Verification.describe)
	each(t, "Verifications", "<environment>", &g.Verifications, (*VerificationRule).describe)
	t.section("Limits", g.Limits.describe)
}

func (c *Credentials) describe(t *table) {
	one(t, "Username", secret(), &c.Username, preset{}, "User for https. ${NAME} and ${file:PATH} are expanded at each use.")
	one(t, "Password", secret(), &c.Password, preset{}, "Password or token for https, or the key file's passphrase. Expanded as Username.")
	one(t, "SshKeyFile", plain(), &c.SSHKeyFile, derived("the agent, then ~/.ssh"), "Private key for ssh.")
	one(t, "SshKnownHostsFile", plain(), &c.SSHKnownHostsFile, derived("~/.ssh/known_hosts"), "Host keys to trust; unknown ones are refused.")
}

func (w *Watcher) describe(t *table) {
	one(t, "Branch", plain(), &w.Branch, is("main"), "The branch to follow.")
	one(t, "Environment", plain(), &w.Environment, derived("required, unless GitOps.Environments is set"), "The environment to deploy.")
	one(t, "PollIntervalSeconds", count(86400), &w.PollIntervalSeconds, is("30"),
		"Seconds between polls, jittered by a tenth; errors back off, up to 5 minutes.")
}

func (e *Environment) describe(t *table) {
	one(t, "Branch", plain(), &e.Branch, derived("GitOps.Watcher.Branch"), "The branch that this environment follows.")
}

func (w *Webhook) describe(t *table) {
	one(t, "Secret", secret(), &w.Secret, derived("off"), "Shared secret of the Git host's webhook. Expanded as credentials are.")
	one(t, "Provider", oneOf("github", "gitlab", "bitbucket", "gitea", "forgejo", "generic"), &w.Provider, derived("by the request's headers"),
		"The Git host that sends the webhook.")
}

func (l *Limits) describe(t *table) {
	one(t, "MaxFileBytes", whole(1, maxBytes), &l.MaxFileBytes, preset{"16777216", "16777216 (16 MiB)"}, "Largest file of an environment, in bytes.")
	one(t, "MaxBundleBytes", whole(1, maxBytes), &l.MaxBundleBytes, preset{"67108864", "67108864 (64 MiB)"}, "All files of an environment together, in bytes.")
	one(t, "MaxFiles", count(1_000_000), &l.MaxFiles, is("10000"), "Number of files of an environment.")
	one(t, "FetchTimeout", span(), &l.FetchTimeout, is("00:01:00"), "Longest time for one fetch.")
	one(t, "FetchMemoryBytes", whole(16*mib, maxBytes), &l.FetchMemoryBytes, preset{"536870912", "536870912 (512 MiB)"},
		"Memory of the process that fetches, in bytes.")
}
