package fsm

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// environmentName is what identifiers and file names can be made of.
var environmentName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// initCluster is the first command of a cluster.
func (c *change) initCluster(command *pb.InitCluster) (Result, error) {
	if c.meta.ClusterID != "" {
		return Result{}, refuse(ClassExists, "initialised", "the cluster is initialised as %s", c.meta.ClusterID)
	}
	settings, err := settingsOf(command.GetSettings(), command.GetSettingsDigest())
	if err != nil {
		return Result{}, err
	}
	if command.GetClusterId() == "" {
		return Result{}, refuse(ClassInvalid, "no_cluster_id", "a cluster needs an id")
	}
	c.meta.ClusterID, c.meta.ClusterName = command.GetClusterId(), command.GetClusterName()
	c.audit("cluster.init", "", command.GetClusterId(), "", "")
	c.adopt(settings)
	return Result{}, nil
}

// setSettings follows an admin, or a majority of the voters' files: the change
// of a file is one decision, made once, not a difference that is undone for ever.
func (c *change) setSettings(command *pb.SetSettings) (Result, error) {
	digest := command.GetFileDigest()
	if supporters := command.GetSupporters(); len(supporters) > 0 {
		if digest == c.meta.Settings.FileDigest {
			return Result{}, refuse(ClassAborted, "settings_known", "these files were followed or overruled before")
		}
		if err := c.majorityReports(digest); err != nil {
			return Result{}, err
		}
	} else {
		digest = c.meta.Settings.FileDigest
	}
	settings, err := settingsOf(command.GetSettings(), digest)
	if err != nil {
		return Result{}, err
	}
	c.audit("settings.set", "", "settings", command.GetReason(), "")
	c.adopt(settings)
	return Result{}, nil
}

func (c *change) majorityReports(digest string) error {
	voters, same := 0, 0
	for n := range c.nodes.now().all("") {
		if !n.Voter {
			continue
		}
		voters++
		if n.SettingsDigest == digest {
			same++
		}
	}
	if same*2 <= voters {
		return refuse(ClassPrecondition, "no_majority", "%d of %d voters report these settings", same, voters)
	}
	return nil
}

// adopt puts settings in force: environments come and go with them, and what
// waits is gated anew where its policy changed.
func (c *change) adopt(settings *Settings) {
	c.meta.Settings = settings
	for _, es := range settings.Environments {
		env := c.environments.get(es.Name)
		if env == nil {
			c.environments.put(&Environment{Name: es.Name, Branch: es.Branch, Changed: c.entry.Index})
			continue
		}
		alter := *env
		alter.Retired, alter.Branch = false, es.Branch
		c.failUnsigned(&alter)
		c.regate(&alter)
		c.decide(&alter)
	}
	for env := range c.environments.now().all("") {
		if settings.Environment(env.Name) == nil && !env.Retired {
			alter := *env
			alter.Retired = true
			c.endForRetired(&alter)
			c.decide(&alter)
		}
	}
}

// endForRetired ends what is under way in an environment that the settings no
// longer name: nobody will finish it.
func (c *change) endForRetired(env *Environment) {
	op := env.Operation
	if op == nil {
		return
	}
	c.close(env, op, false, "the environment was taken out of the settings")
	known := c.deployments.get(op.DeploymentID)
	if known == nil || known.State != Applying {
		return
	}
	d := *known
	message := "the environment was taken out of the settings"
	d.ReasonCode, d.Error = "environment_retired", message
	// Applying may always leave to Failed: move cannot refuse.
	_ = c.move(&d, Failed, message)
	c.putDeployment(&d)
}

// settingsOf checks and copies settings.
func settingsOf(m *pb.SettingsValue, digest string) (*Settings, error) {
	if err := checkSettings(m); err != nil {
		return nil, err
	}
	s := SettingsOf(m)
	s.FileDigest = digest
	return s, nil
}

func checkSettings(m *pb.SettingsValue) error {
	named := map[string]bool{}
	for _, e := range m.GetEnvironments() {
		if !environmentName.MatchString(e.GetName()) {
			return refuse(ClassInvalid, "bad_environment", "environment name %q: use letters, digits, '.', '_' and '-', at most 63", e.GetName())
		}
		if named[e.GetName()] {
			return refuse(ClassInvalid, "bad_environment", "environment %q is named twice", e.GetName())
		}
		named[e.GetName()] = true
		if err := verificationOf(e.GetVerification()).check(); err != nil {
			return err
		}
	}
	if len(named) == 0 {
		return refuse(ClassInvalid, "no_environment", "the settings name no environment")
	}
	return nil
}

// SettingsOf is what a value comes to where it is in force, whether or not it
// would be refused; without a FileDigest.
func SettingsOf(m *pb.SettingsValue) *Settings {
	s := &Settings{
		RepositoryURL: m.GetRepositoryUrl(), PollInterval: m.GetPollIntervalMs(), HistoryLimit: m.GetHistoryLimit(),
		DryRun: m.GetDryRun(), MaxFileBytes: m.GetMaxFileBytes(), MaxBundleBytes: m.GetMaxBundleBytes(),
		MaxFiles: m.GetMaxFiles(), FetchTimeout: m.GetFetchTimeoutMs(), FetchMemoryBytes: m.GetFetchMemoryBytes(),
		Identities: identities(m.GetIdentities()),
	}
	for _, e := range m.GetEnvironments() {
		s.Environments = append(s.Environments, EnvironmentSettings{
			Name: e.GetName(), Branch: e.GetBranch(), Policy: policyOf(e.GetPolicy()), Verification: verificationOf(e.GetVerification()),
		})
	}
	slices.SortFunc(s.Environments, func(a, b EnvironmentSettings) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// identities spells Git identities in lower case, as they are looked up. Of two
// that differ in case alone the first in byte order counts, on every node.
func identities(given map[string]string) map[string]string {
	if len(given) == 0 {
		return nil
	}
	out := make(map[string]string, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if lower := strings.ToLower(name); out[lower] == "" {
			out[lower] = given[name]
		}
	}
	return out
}

// Defaults of settings that may be left at zero.
const (
	defaultHistoryLimit   = 200
	defaultMaxBundleBytes = 64 << 20
)

func (s *Settings) historyLimit() int {
	if s.HistoryLimit == 0 {
		return defaultHistoryLimit
	}
	return int(s.HistoryLimit)
}

func (s *Settings) maxBundleBytes() int64 {
	if s.MaxBundleBytes <= 0 {
		return defaultMaxBundleBytes
	}
	return s.MaxBundleBytes
}
