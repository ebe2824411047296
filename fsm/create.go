package fsm

import (
	"strconv"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// createDeployment records a commit's content: once for each environment,
// commit and digest, however many leaders saw it (I12).
func (c *change) createDeployment(command *pb.CreateDeployment) (Result, error) {
	env, err := c.fenced(command.GetEnvironment(), command.GetExpectedSequence())
	if err != nil {
		return Result{}, err
	}
	if held := c.holds.get(join(env.Name, holdDigest(command.GetCommit(), command.GetDigest(), command.GetReasonCode()))); held != nil {
		return Result{}, refuse(ClassPrecondition, "held", "digest is held since deployment %s: %s", held.DeploymentID, held.Reason)
	}
	d, err := c.record(env, command)
	if err != nil {
		return Result{}, err
	}
	env.CurrentID = d.ID
	env.Counters.Total++
	switch problems := command.GetProblems(); {
	case len(problems) == 0:
		err = c.await(env, d)
	case d.State == StateNone:
		d.Problems = problems
		err = c.fail(env, d, command.GetReasonCode(), problems[0])
	default:
		c.failAgain(env, d, command)
	}
	if err != nil {
		return Result{}, err
	}
	c.retain(env)
	c.decide(env)
	return result(env, d.ID), nil
}

// failAgain holds again what was read anew and still fails its checks, or fails them by now: the content, or the commit
// if that was not readable this time.
func (c *change) failAgain(env *Environment, d *Deployment, command *pb.CreateDeployment) {
	d.Problems, d.ReasonCode = command.GetProblems(), command.GetReasonCode()
	d.Error = d.Problems[0]
	c.line(d, d.State, PhaseNone, "read again: "+d.Error)
	c.audit("deployment.failed", env.Name, d.ID, d.ReasonCode, d.Error)
	refused := *d
	refused.Digest = command.GetDigest()
	c.hold(env, &refused, d.ReasonCode)
	env.Counters.Failure++
	c.putDeployment(d)
}

// record returns a new record, or the one of an earlier attempt whose hold was
// lifted, or to which the branch came back.
func (c *change) record(env *Environment, command *pb.CreateDeployment) (*Deployment, error) {
	fresh := len(command.GetProblems()) == 0
	if fresh {
		if err := c.deployable(env, command); err != nil {
			return nil, err
		}
	}
	known := recordOf(c.byContent.now(), env.Name, command.GetCommit(), command.GetDigest())
	if known != nil && !mayRepeat(env, known) {
		return nil, refuse(ClassExists, "recorded", "deployment %s is recorded already", known.ID)
	}
	if known != nil && fresh && env.Operation != nil && env.Operation.involves(known) {
		return nil, refuse(ClassExists, "in_flight", "environment %q is busy with deployment %s", env.Name, known.ID)
	}
	id, err := c.newID(env.Name, command.GetIdStem())
	if err != nil {
		return nil, err
	}
	d := &Deployment{ID: id, Ordinal: c.ordinal(), Created: c.now()}
	if known != nil {
		d = c.repeated(known, fresh)
	}
	if d.Digest == "" || command.GetDigest() != "" { // else it stays what it was when it could be read
		fill(d, env.Name, command)
	}
	d.Policy = policyInForce(c.meta.Settings, env, env.Name)
	if !fresh {
		return d, nil
	}
	d.HasContent = true
	return d, c.move(d, Pending, origin(d))
}

// origin says where a content comes from. Of a rewritten branch it names both
// commits, so that the audit shows them (I13).
func origin(d *Deployment) string {
	if !d.Rewritten {
		return "commit " + short(d.Commit) + " on branch " + d.Branch + signedBy(d)
	}
	return "branch " + d.Branch + " was rewritten: commit " + d.Commit + " does not follow the deployed " + d.PreviousCommit + signedBy(d)
}

// signedBy puts on record who signed, or what was let in all the same.
func signedBy(d *Deployment) string {
	switch d.Signature.Status {
	case "":
		return ""
	case SignatureGood:
		return ", signed by " + d.Signature.Signer + " (" + d.Signature.Key + ")"
	default:
		return ", signature: " + d.Signature.Status
	}
}

// mayRepeat: what failed or was rolled back can be tried again, and what gave
// way to another one when the branch asks for the same commit again, be it to
// say that it is refused by now. What is active needs nothing.
func mayRepeat(env *Environment, d *Deployment) bool {
	switch d.State {
	case Failed, RolledBack:
		return true
	case Completed, Superseded:
		return env.Active == nil || env.Active.DeploymentID != d.ID
	default:
		return false
	}
}

// repeated is an earlier record, as young as what begins now: it supersedes
// what was asked for in between.
func (c *change) repeated(known *Deployment, fresh bool) *Deployment {
	d := *known
	c.dropDeployment(known) // its digest may be known by now
	if fresh {
		d.Ordinal, d.SupersededBy = c.ordinal(), ""
	}
	return &d
}

func (c *change) deployable(env *Environment, command *pb.CreateDeployment) error {
	digest := command.GetDigest()
	if err := c.signed(env.Name, signatureOf(command.GetSignature())); err != nil {
		return err
	}
	if from := command.GetPreviousCommit(); from != "" && from != env.DeployedCommit() {
		return refuse(ClassAborted, "stale_base", "compared with commit %s, and environment %q is in step with %s", short(from), env.Name, short(env.DeployedCommit()))
	}
	if c.bundles.get(digest) == nil {
		return refuse(ClassPrecondition, "no_content", "the content %s is not uploaded", short(digest))
	}
	if env.Active != nil && env.Active.Digest == digest && env.Operation == nil {
		return refuse(ClassExists, "active", "the content %s is active already", short(digest))
	}
	if env.Operation != nil && (env.Operation.Digest == digest || c.rollsAwayFrom(env.Operation, digest)) {
		return refuse(ClassExists, "in_flight", "the content %s is being applied, or rolled away from", short(digest))
	}
	for _, id := range env.Waiting {
		if w := c.deployments.get(id); w != nil && w.Digest == digest {
			return refuse(ClassExists, "in_flight", "the content %s waits as deployment %s", short(digest), w.ID)
		}
	}
	return nil
}

// rollsAwayFrom reports whether a rollback is about to hold a digest.
func (c *change) rollsAwayFrom(op *Operation, digest string) bool {
	if op.Kind != Rollback {
		return false
	}
	subject := c.deployments.get(op.DeploymentID)
	return subject != nil && subject.Digest == digest
}

// DeployedCommit is the newest commit that is known to have the active content;
// empty before the first activation. Whether a branch was rewritten is asked of it (I13).
func (e *Environment) DeployedCommit() string {
	if e.Active != nil && e.SyncedCommit == "" {
		return e.Active.Commit
	}
	return e.SyncedCommit
}

func fill(d *Deployment, environment string, m *pb.CreateDeployment) {
	d.Environment, d.Commit, d.Digest, d.Branch = environment, m.GetCommit(), m.GetDigest(), m.GetBranch()
	d.PreviousCommit = m.GetPreviousCommit()
	d.Author, d.AuthorEmail, d.Message = m.GetAuthor(), m.GetAuthorEmail(), m.GetMessage()
	d.CommittedAt, d.ChangedFiles, d.RelevantFiles = m.GetCommittedAtMs(), m.GetChangedFiles(), m.GetRelevantFiles()
	d.Risk, d.Plan = Risk(m.GetRisk()), m.GetPlan()
	d.Rewritten, d.RewrittenAway = m.GetRewritten(), m.GetRewrittenAway()
	d.NextPolicy = policyOf(m.GetNextPolicy())
	d.EstimatedMs, d.Services = m.GetEstimatedMs(), m.GetServices()
	d.Signature, d.ContributorsUnknown = signatureOf(m.GetSignature()), m.GetContributorsUnknown()
	d.InitiatedBy = m.GetInitiatedBy()
	if d.InitiatedBy == "" {
		d.InitiatedBy = Watcher
	}
	d.Contributors = nil
	for _, p := range m.GetContributors() {
		d.Contributors = append(d.Contributors, Contributor{Name: p.GetName(), Email: p.GetEmail(), Role: p.GetRole()})
	}
	d.Problems, d.Error, d.ReasonCode = nil, "", ""
	d.RolledBackTo, d.Overridden, d.DryRun = "", false, false
}

// newID makes <environment>-<yyyyMMdd>-<HHmmss>, with -2, -3 on a collision.
// The stem comes with the command: there is no calendar here.
func (c *change) newID(environment, stem string) (string, error) {
	if !strings.HasPrefix(stem, environment+"-") || len(stem) != len(environment)+len("-20060102-150405") {
		return "", refuse(ClassInvalid, "bad_id", "deployment id %q does not fit environment %q", stem, environment)
	}
	id := stem
	for n := 2; c.deployments.get(id) != nil; n++ {
		id = stem + "-" + strconv.Itoa(n)
	}
	return id, nil
}

func short(sha string) string {
	if len(sha) > 7 {
		return sha[:7]
	}
	return sha
}
