package fsm

import (
	"slices"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// approve counts one approver, bound to environment, commit, digest and policy
// (I5). An override passes what is missing, window and pause; it needs a reason
// and stands in the audit as what it is.
func (c *change) approve(command *pb.ApproveCommand) (Result, error) {
	d, env, err := c.deployment(command.GetDeploymentId())
	if err != nil {
		return Result{}, err
	}
	if err := c.seen(d, command); err != nil {
		return Result{}, err
	}
	switch {
	case command.GetOverride() && gatedRollback(env, d):
		err = c.overrideRollback(env, d, command.GetReason())
	case command.GetOverride():
		err = c.override(env, d, command.GetReason())
	case gatedRollback(env, d):
		err = c.approveRollback(env, d, command.GetComment())
	case !ended(d) && approvedBy(d.Approvals, c.actor()):
		return result(env, d.ID), nil
	case d.State != AwaitingApproval:
		err = refuse(ClassPrecondition, "wrong_state", "deployment %s is %s, not AwaitingApproval", d.ID, d.State)
	default:
		if err = c.mayApprove(d); err == nil {
			err = c.countApproval(env, d, command.GetComment())
		}
	}
	if err != nil {
		return Result{}, err
	}
	c.retain(env)
	c.decide(env)
	return result(env, d.ID), nil
}

// seen refuses an approval of something that changed after the approver looked.
func (c *change) seen(d *Deployment, command *pb.ApproveCommand) error {
	for _, check := range []struct{ name, want, have string }{
		{"commit", command.GetExpectedCommit(), d.Commit},
		{"digest", command.GetExpectedDigest(), d.Digest},
		{"policy", command.GetExpectedPolicyDigest(), d.Policy.Digest()},
	} {
		if check.want != "" && !strings.EqualFold(check.want, check.have) {
			return refuse(ClassPrecondition, "changed", "the %s of deployment %s is %s, not %s: look again", check.name, d.ID, short(check.have), short(check.want))
		}
	}
	return nil
}

// ended: what an approver said before helped nothing; saying it again is no success.
func ended(d *Deployment) bool {
	return d.State == Failed || d.State == RolledBack || d.State == Superseded
}

// identified refuses a caller of whom nothing is known.
func (c *change) identified() error {
	if c.actor() == Watcher {
		return refuse(ClassDenied, "no_identity", "an approval needs an identity")
	}
	return nil
}

func (c *change) mayApprove(d *Deployment) error {
	if err := c.identified(); err != nil {
		return err
	}
	who := c.actor()
	if d.Policy.ForbidAuthorApproval && d.ContributorsUnknown {
		return refuse(ClassDenied, "contributors_unknown", "the history behind deployment %s is too long to name everybody who contributed, "+
			"and policy forbids approving one's own work: an admin can override, with a reason", d.ID)
	}
	if d.Policy.ForbidAuthorApproval && c.involved(d, who) {
		return refuse(ClassDenied, "contributor", "%s contributed to deployment %s or initiated it, and policy forbids approving one's own work", who, d.ID)
	}
	return nil
}

// involved reports whether an identity contributed to a deployment or initiated
// it. Git identities are compared as they are and as the settings map them.
func (c *change) involved(d *Deployment, identity string) bool {
	names := []string{d.InitiatedBy}
	for _, p := range d.Contributors {
		names = append(names, p.Name, p.Email)
	}
	for _, name := range slices.Clone(names) {
		if mapped := c.meta.Settings.Identities[strings.ToLower(name)]; mapped != "" {
			names = append(names, mapped)
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return name != "" && strings.EqualFold(name, identity) })
}

func approvedBy(approvals []Approval, identity string) bool {
	return slices.ContainsFunc(approvals, func(a Approval) bool { return strings.EqualFold(a.Approver, identity) })
}

// countApproval adds one approver; with enough of them the deployment is eligible.
func (c *change) countApproval(env *Environment, d *Deployment, comment string) error {
	if approvedBy(d.Approvals, c.actor()) {
		return nil
	}
	d.Approvals = append(slices.Clip(d.Approvals), Approval{Approver: c.actor(), At: c.now(), Comment: comment})
	d.Updated = c.now()
	c.audit("deployment.approve", env.Name, d.ID, comment, "")
	if d.approved() {
		if err := c.move(d, Pending, "approved by "+approvers(d)); err != nil {
			return err
		}
		if err := c.supersede(env, d); err != nil {
			return err
		}
	}
	c.putDeployment(d)
	return nil
}

func approvers(d *Deployment) string {
	names := make([]string, len(d.Approvals))
	for i, a := range d.Approvals {
		names[i] = a.Approver
	}
	return strings.Join(names, ", ")
}

// override lets a waiting deployment pass approvals, window and pause.
func (c *change) override(env *Environment, d *Deployment, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return refuse(ClassInvalid, "no_reason", "an override needs a reason")
	}
	if !d.State.Waiting() {
		return refuse(ClassPrecondition, "wrong_state", "deployment %s is %s: there is nothing to override", d.ID, d.State)
	}
	d.Overridden = true
	c.audit("deployment.override", env.Name, d.ID, reason, "")
	if d.State == AwaitingApproval {
		if err := c.move(d, Pending, "override by "+c.actor()+": "+reason); err != nil {
			return err
		}
	}
	c.putDeployment(d)
	return c.supersede(env, d)
}

// reject fails what awaits approval.
func (c *change) reject(command *pb.RejectCommand) (Result, error) {
	d, env, err := c.deployment(command.GetDeploymentId())
	if err != nil {
		return Result{}, err
	}
	reason := strings.TrimSpace(command.GetReason())
	switch {
	case reason == "":
		return Result{}, refuse(ClassInvalid, "no_reason", "a rejection needs a reason")
	case gatedRollback(env, d):
		op := env.Operation
		c.audit("deployment.reject", env.Name, d.ID, reason, "rollback to "+op.TargetID)
		c.close(env, op, false, "rejected by "+c.actor()+": "+reason)
	case d.State != AwaitingApproval:
		return Result{}, refuse(ClassPrecondition, "wrong_state", "deployment %s is %s, not AwaitingApproval", d.ID, d.State)
	default:
		c.audit("deployment.reject", env.Name, d.ID, reason, "")
		if err := c.fail(env, d, "rejected", "rejected by "+c.actor()+": "+reason); err != nil {
			return Result{}, err
		}
	}
	c.retain(env)
	c.decide(env)
	return result(env, d.ID), nil
}

// expireApproval ends what nobody approved in time, by the replicated clock.
func (c *change) expireApproval(command *pb.ExpireApproval) (Result, error) {
	env, err := c.fenced(command.GetEnvironment(), command.GetExpectedSequence())
	if err != nil {
		return Result{}, err
	}
	known := c.deployments.get(command.GetDeploymentId())
	if known == nil || known.State != AwaitingApproval || c.now() < known.ApprovalExpires() {
		return Result{}, refuse(ClassAborted, "not_expired", "the approval of %q has not expired", command.GetDeploymentId())
	}
	d := *known
	env.Counters.ApprovalTimeouts++
	if err := c.fail(env, &d, "approval_timeout", "nobody approved it in time"); err != nil {
		return Result{}, err
	}
	c.retain(env)
	c.decide(env)
	return result(env, d.ID), nil
}

// ApprovalExpires is when the wait for approvals ends, Unix milliseconds; 0 if
// it does not wait.
func (d *Deployment) ApprovalExpires() int64 {
	if d.State != AwaitingApproval || d.AwaitingSince == 0 {
		return 0
	}
	return d.AwaitingSince + d.Policy.approvalTimeout()
}

func gatedRollback(env *Environment, d *Deployment) bool {
	return env.Operation != nil && env.Operation.Gated && env.Operation.DeploymentID == d.ID
}

// approveRollback counts an approver of a rollback that the policy gates.
func (c *change) approveRollback(env *Environment, d *Deployment, comment string) error {
	if err := c.identified(); err != nil {
		return err
	}
	op := *env.Operation
	policy := policyInForce(c.meta.Settings, env, env.Name)
	if policy.ForbidAuthorApproval && strings.EqualFold(op.Actor, c.actor()) {
		return refuse(ClassDenied, "initiator", "%s asked for this rollback, and policy forbids approving one's own work", c.actor())
	}
	if approvedBy(op.Approvals, c.actor()) {
		return nil
	}
	op.Approvals = append(slices.Clip(op.Approvals), Approval{Approver: c.actor(), At: c.now(), Comment: comment})
	op.Gated = uint32(len(op.Approvals)) < max(1, policy.MinimumApprovers)
	env.Operation = &op
	c.audit("deployment.approve", env.Name, d.ID, comment, "rollback to "+op.TargetID)
	return nil
}

// overrideRollback lets a rollback begin without the approvals that it waits for.
func (c *change) overrideRollback(env *Environment, d *Deployment, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return refuse(ClassInvalid, "no_reason", "an override needs a reason")
	}
	op := *env.Operation
	op.Gated = false
	env.Operation = &op
	c.audit("deployment.override", env.Name, d.ID, reason, "rollback to "+op.TargetID)
	return nil
}
