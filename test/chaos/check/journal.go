package check

import (
	"strings"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/test/harness"
)

// messages are activations as the harness compares them with journals.
func messages(list []*fsm.Activation) []*pb.Activation {
	var all []*pb.Activation
	for _, a := range list {
		all = append(all, &pb.Activation{
			Index: a.Index, Epoch: a.Epoch, Kind: a.Kind.String(), DeploymentId: a.DeploymentID, Commit: a.Commit, Digest: a.Digest,
		})
	}
	return all
}

// compareJournal is the harness's comparison, finding by finding.
func compareJournal(journal []node.Entry, environment string, committed []*pb.Activation) (findings []Finding) {
	err := harness.CheckJournal(journal, environment, committed)
	if err == nil {
		return nil
	}
	for line := range strings.Lines(err.Error()) {
		promise, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		findings = append(findings, Finding{promise, text})
	}
	return findings
}
