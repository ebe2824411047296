package leader

import (
	"maps"
	"slices"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// planCandidate records what the head means for an environment: once, and only
// if it was compared with what is active.
func planCandidate(in Inputs, env *fsm.Environment, d *Decisions) {
	c := in.Candidates[env.Name]
	if c == nil || c.Branch != env.Branch || c.Code != "" || c.Absent || c.settled(in.State, env) {
		return
	}
	if !c.Current(env) {
		d.Reread = append(d.Reread, c.Branch)
		return
	}
	if len(c.Problems) == 0 && in.State.Bundle(c.Digest) == nil {
		d.Uploads = append(d.Uploads, env.Name)
		return
	}
	d.propose("env/"+env.Name, &pb.Payload{Command: &pb.Payload_CreateDeployment{
		CreateDeployment: c.command(env.Sequence, in.Now),
	}})
}

// Current reports whether a candidate was compared with what an environment
// serves now: its content, and the commit that this content is in step with.
func (c *Candidate) Current(env *fsm.Environment) bool {
	return c.BasedOn == activeDigest(env) && (c.planJSON == nil || c.plan.FromCommit == env.DeployedCommit())
}

func activeDigest(env *fsm.Environment) string {
	if env.Active == nil {
		return ""
	}
	return env.Active.Digest
}

// settled reports whether nothing is left to record of a candidate (I12). One that is not signed is settled by the hold
// of its commit, never by its content being active already; or by a record that goes on without it.
func (c *Candidate) settled(s *fsm.State, env *fsm.Environment) bool {
	if !c.Unsigned {
		return Settled(s, env, c.Commit, c.Digest)
	}
	return s.Hold(env.Name, "commit:"+c.Commit) != nil || recordedAlready(s, env, c.Commit, c.Digest)
}

// Settled reports whether the replicated state already says what a commit's
// content means for an environment, so that nothing is left to record (I12).
func Settled(s *fsm.State, env *fsm.Environment, commit, digest string) bool {
	if s.Hold(env.Name, digest) != nil || s.Hold(env.Name, "commit:"+commit) != nil {
		return true
	}
	if digest != "" && inFlight(s, env, digest) {
		return true
	}
	return recordedAlready(s, env, commit, digest)
}

func recordedAlready(s *fsm.State, env *fsm.Environment, commit, digest string) bool {
	known := s.DeploymentByContent(env.Name, commit, digest)
	if known == nil {
		return false
	}
	switch known.State {
	case fsm.Failed, fsm.RolledBack:
		return false
	case fsm.Completed, fsm.Superseded:
		// The branch came back to it, unless it is what is being replaced just now:
		// then there is something to do only if it really is replaced.
		return env.Active != nil && env.Active.DeploymentID == known.ID
	default:
		return true
	}
}

// inFlight: the same content is being applied, waits, or is active with nothing
// under way. While something else is applied, what is active is about to be
// replaced, and the head may be the way back to it.
func inFlight(s *fsm.State, env *fsm.Environment, digest string) bool {
	if env.Operation != nil {
		if env.Operation.Digest == digest || rollsAwayFrom(s, env.Operation, digest) {
			return true
		}
	} else if activeDigest(env) == digest {
		return true
	}
	for _, id := range env.Waiting {
		if d := s.Deployment(id); d != nil && d.Digest == digest {
			return true
		}
	}
	return false
}

// planPolls puts polls on record, each once everything that it found is settled:
// who waits for a poll's generation then finds what came of it.
func planPolls(in Inputs, d *Decisions) {
	for _, branch := range slices.Sorted(maps.Keys(in.Polls)) {
		poll := in.Polls[branch]
		m := &pb.ObservePoll{
			Branch: branch, Head: poll.Head, ErrorCode: poll.Code, Error: poll.Err,
			NextPollMs: poll.NextPoll, Generation: poll.Generation,
		}
		if poll.Code == "" && !findings(in, branch, poll.Head, m) {
			continue
		}
		d.propose("poll/"+branch, &pb.Payload{Command: &pb.Payload_ObservePoll{ObservePoll: m}})
	}
}

// findings adds what the head means for each environment of the branch, where
// that is news; false if something of it is not settled yet.
func findings(in Inputs, branch, head string, m *pb.ObservePoll) bool {
	for env := range in.State.Environments() {
		if env.Retired || env.Branch != branch {
			continue
		}
		c := in.Candidates[env.Name]
		if c == nil || c.Commit != head {
			continue
		}
		if c.Code == "" && !c.Absent && !c.settled(in.State, env) {
			return false
		}
		digest := c.Digest
		if c.Unsigned {
			digest = ""
		}
		if c.Code != "" || env.LatestCommit != head || env.LatestDigest != digest {
			m.Findings = append(m.Findings, &pb.PollFinding{
				Environment: env.Name, Commit: head, Digest: digest, ErrorCode: c.Code, Error: c.Err,
			})
		}
	}
	for _, f := range m.GetFindings() { // all of them have to fit into one entry of the log
		f.Error = cut(f.GetError(), max(maxErrorText/10, maxFindingsText/len(m.GetFindings())))
	}
	return true
}

// maxFindingsText bounds, in bytes, what one command says of errors; with very many findings each keeps a tenth.
const maxFindingsText = 64 << 10

// rollsAwayFrom: a rollback is about to hold the digest.
func rollsAwayFrom(s *fsm.State, op *fsm.Operation, digest string) bool {
	if op.Kind != fsm.Rollback {
		return false
	}
	subject := s.Deployment(op.DeploymentID)
	return subject != nil && subject.Digest == digest
}
