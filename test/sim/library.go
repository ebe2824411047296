package sim

import (
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/leader"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// variant is one configuration of one environment.
type variant struct {
	name   string
	files  []gitsync.File
	policy []byte
	// digest is of its bundle; empty if it fails its checks.
	digest string
}

// Library is what all runs choose from: made once, because packing a content
// costs more than a whole run.
type Library struct {
	variants map[string][]*variant
	broken   map[string][]*variant
	policies []*pb.PolicyValue
	// contents are packed, by their digest.
	contents map[string][]byte
}

// environmentNames are the environments of a run; the last may be missing.
var environmentNames = [...]string{"production", "staging"}

// NewLibrary makes the contents and policies.
func NewLibrary() (*Library, error) {
	l := &Library{variants: map[string][]*variant{}, broken: map[string][]*variant{}, contents: map[string][]byte{}}
	for _, environment := range environmentNames {
		for i := range 12 {
			v := plain(environment, i)
			if i >= 8 {
				v.policy = policyFile(environment, i)
			}
			if err := l.pack(environment, v); err != nil {
				return nil, err
			}
			l.variants[environment] = append(l.variants[environment], v)
		}
		l.broken[environment] = brokenVariants(environment)
	}
	for i := range 16 {
		value, err := settingsPolicy(i).Value()
		if err != nil {
			return nil, err
		}
		l.policies = append(l.policies, value)
	}
	return l, nil
}

func metadataFile(environment, content string) gitsync.File {
	return gitsync.File{Path: catalog.MetadataPath(environment), Content: []byte(content)}
}

func plain(environment string, i int) *variant {
	// The text grows, so that the contents have one to five chunks.
	title := fmt.Sprintf("%s %d", environment, i)
	for n := range i {
		title += fmt.Sprintf(" %x", bundle.Digest(fmt.Appendf(nil, "%d/%d", i, n))[:24])
	}
	return &variant{
		name:  fmt.Sprintf("v%d", i),
		files: []gitsync.File{metadataFile(environment, fmt.Sprintf(`{"services": [], "x-title": %q}`, title))},
	}
}

func brokenVariants(environment string) []*variant {
	return []*variant{
		{name: "no-json", files: []gitsync.File{metadataFile(environment, `{"services": [`)}},
		{name: "no-services", files: []gitsync.File{metadataFile(environment, `{}`)}},
		{name: "no-metadata", files: []gitsync.File{{Path: "environments/" + environment + "/readme.txt", Content: []byte("empty")}}},
		{name: "no-policy", files: plain(environment, 1).files, policy: []byte("environments:\n  " + environment + ":\n    minimumApprovers: many\n")},
	}
}

// policyFile is a policy inside the content.
func policyFile(environment string, i int) []byte {
	approval, rollback := i%2 == 0, i%4 < 2
	return fmt.Appendf(nil, "environments:\n  %s:\n    requiresApproval: %t\n    autoRollback: %t\n    stagingTimeout: 10s\n    healthCheckTimeout: 10s\n",
		environment, approval, rollback)
}

// settingsPolicy is the i-th of the policies that settings may name.
func settingsPolicy(i int) policy.Policy {
	p := policy.Default("staging")
	p.RequiresApproval = i%3 == 1
	p.AutoRollback = i&2 == 0
	p.ForcePush, p.AfterRollback = policy.Allow, policy.Auto
	if i&4 != 0 {
		p.ForcePush, p.AfterRollback = policy.Approve, policy.Approve
		p.ForbidAuthorApproval = true
	}
	if i&8 != 0 {
		p.MinimumApprovers = 2
		p.RollbackRequiresApproval = i&2 != 0
	}
	p.ApprovalTimeout = time.Minute
	p.StagingTimeout = time.Duration(5+10*(i%3)) * time.Second
	p.HealthCheckTimeout = time.Duration(5+5*(i%3)) * time.Second
	return p
}

// pack finds out what the leader makes of a variant.
func (l *Library) pack(environment string, v *variant) error {
	reading := &gitsync.Reading{Commit: gitsync.CommitInfo{SHA: "0"}, Files: v.files, Policy: v.policy}
	c := leader.NewLookout(&fsm.Settings{}, "main").Find(fsm.New(), &fsm.Environment{Name: environment}, "0",
		func(gitsync.Request) (*gitsync.Reading, error) { return reading, nil }).Candidate
	if len(c.Problems) > 0 || c.Digest == "" {
		return fmt.Errorf("variant %s of %s is no valid content: %v", v.name, environment, c.Problems)
	}
	v.digest = c.Digest
	l.contents[v.digest] = bundle.Compress(c.Encoded)
	return nil
}
