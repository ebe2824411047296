package fsm

import (
	"slices"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// rollback activates an earlier completed content again, by an operator's word.
// It cancels what is being applied, is staged like anything else, and passes
// approval, window and pause, unless the policy wants rollbacks approved.
func (c *change) rollback(command *pb.RollbackCommand) (Result, error) {
	env, err := c.environment(command.GetEnvironment())
	if err != nil {
		return Result{}, err
	}
	reason := strings.TrimSpace(command.GetReason())
	if reason == "" {
		return Result{}, refuse(ClassInvalid, "no_reason", "a rollback needs a reason")
	}
	if op := env.Operation; op != nil && op.Kind != Deploy {
		return Result{}, refuse(ClassAborted, "busy", "environment %q is being rolled back already", env.Name)
	}
	if env.Active == nil {
		return Result{}, refuse(ClassPrecondition, "nothing_active", "environment %q has never served anything", env.Name)
	}
	target, err := c.chooseTarget(env, command.GetToDeploymentId())
	if err != nil {
		return Result{}, err
	}
	gated := policyInForce(c.meta.Settings, env, env.Name).RollbackRequiresApproval
	if gated && env.Operation != nil {
		return Result{}, refuse(ClassPrecondition, "busy", "rollbacks of environment %q need approval: cancel deployment %s first, or wait for it", env.Name, env.Operation.DeploymentID)
	}
	if err := c.interrupt(env, reason); err != nil {
		return Result{}, err
	}
	if err := c.withdraw(env, reason); err != nil {
		return Result{}, err
	}
	subject := c.deployments.get(env.Active.DeploymentID)
	if subject == nil {
		return Result{}, refuse(ClassPrecondition, "no_record", "the record of the active deployment %s is gone", env.Active.DeploymentID)
	}
	c.startRollback(env, subject, target, reason, gated)
	c.retain(env)
	c.decide(env)
	r := result(env, subject.ID)
	r.Message, r.Value = target.ID, env.Operation.ID
	return r, nil
}

func (c *change) startRollback(env *Environment, subject, target *Deployment, reason string, gated bool) {
	op := c.rollbackOperation(subject, target)
	op.Actor, op.Reason, op.Gated = c.actor(), reason, gated
	env.Operation = op
	env.CurrentID = subject.ID
	c.lift(env, target)
	if subject.State == Applying {
		d := *subject
		c.enter(&d, RollingBack, "rolling back to "+target.ID+": "+reason)
		c.putDeployment(&d)
	}
	c.audit("environment.rollback", env.Name, subject.ID, reason, "to="+target.ID)
}

func (c *change) rollbackOperation(subject, target *Deployment) *Operation {
	return &Operation{
		ID: c.entry.Index, Kind: Rollback, DeploymentID: subject.ID, TargetID: target.ID,
		Digest: target.Digest, Begun: c.now(), Actor: c.actor(), Services: target.Services,
	}
}

// interrupt cancels what is being staged. What is active already is what the
// rollback rolls away from.
func (c *change) interrupt(env *Environment, reason string) error {
	op := env.Operation
	if op == nil {
		return nil
	}
	env.Operation = nil
	if op.Phase == Verifying {
		return nil
	}
	d := *c.deployments.get(op.DeploymentID)
	if err := c.fail(env, &d, "cancelled", "cancelled by a rollback: "+reason); err != nil {
		return err
	}
	c.close(env, op, false, "cancelled by a rollback")
	return nil
}

// withdraw ends another attempt at the active content that has not begun: it
// is what is rolled away from.
func (c *change) withdraw(env *Environment, reason string) error {
	known := c.deployments.get(env.Active.DeploymentID)
	if known == nil || !known.State.Waiting() {
		return nil
	}
	d := *known
	return c.fail(env, &d, "cancelled", "cancelled by a rollback: "+reason)
}

// chooseTarget finds what to roll back to, or refuses (I7).
func (c *change) chooseTarget(env *Environment, id string) (*Deployment, error) {
	if id == "" {
		if target := c.rollbackTarget(env, env.Active.Digest); target != nil {
			return target, nil
		}
		return nil, refuse(ClassPrecondition, "no_target", "environment %q has no earlier completed deployment whose content is kept", env.Name)
	}
	target := c.deployments.get(id)
	switch {
	case target == nil:
		return nil, refuse(ClassNotFound, "unknown_deployment", "there is no deployment %q", id)
	case target.Environment != env.Name:
		return nil, refuse(ClassPrecondition, "other_environment", "deployment %s is of environment %q", id, target.Environment)
	case target.Imported:
		return nil, refuse(ClassPrecondition, "no_content", "deployment %s was imported, without its content: revert to its commit in Git", id)
	case !target.EverCompleted:
		return nil, refuse(ClassPrecondition, "never_completed", "deployment %s never completed", id)
	case !target.State.Terminal():
		return nil, refuse(ClassPrecondition, "in_flight", "deployment %s is %s: let it go on, or cancel it first", id, target.State)
	case target.Digest == env.Active.Digest:
		return nil, refuse(ClassPrecondition, "active", "deployment %s is what environment %q serves", id, env.Name)
	case c.bundles.get(target.Digest) == nil:
		return nil, refuse(ClassPrecondition, "no_content", "the content of deployment %s is not kept any more", id)
	}
	return target, nil
}

// rollbackTarget is the newest activation before the present one whose
// deployment completed, is not held, differs and is not on its way again.
func (c *change) rollbackTarget(env *Environment, digest string) *Deployment {
	for a := range c.activations.now().back(env.Name+"\x00", join(env.Name, number(env.LastActivation))) {
		d := c.deployments.get(a.DeploymentID)
		if d == nil || !d.EverCompleted || !d.State.Terminal() || d.Digest == digest || c.bundles.get(d.Digest) == nil {
			continue
		}
		if c.holds.get(join(env.Name, d.Digest)) == nil {
			return d
		}
	}
	return nil
}

// completeRollback marks what was rolled away from, and holds it.
func (c *change) completeRollback(env *Environment, op *Operation, d *Deployment) error {
	d.RolledBackTo = op.TargetID
	if !op.Automatic {
		d.Error, d.ReasonCode = op.Reason, "rolled_back"
	}
	if d.State != RolledBack {
		if err := c.move(d, RolledBack, "rolled back to "+op.TargetID); err != nil {
			return err
		}
	}
	c.hold(env, d, orText(d.ReasonCode, "rolled_back"))
	target := *c.deployments.get(op.TargetID)
	if target.State != Completed {
		target.RolledBackTo, target.SupersededBy, target.Error, target.ReasonCode, target.Problems = "", "", "", "", nil
		if err := c.move(&target, Completed, "served again by a rollback"); err != nil {
			return err
		}
	}
	c.putDeployment(&target)
	env.LastCompletedID = target.ID
	env.AfterRollback = true
	env.Counters.Rollbacks++
	if op.Automatic {
		env.Counters.Failure++
		env.Counters.Failed.Observe(c.now() - op.Begun)
	}
	c.regate(env)
	return nil
}

// rollbackFailed ends an automatic rollback that could not be staged: the
// content that failed its verification is still served.
func (c *change) rollbackFailed(env *Environment, d *Deployment, message string) error {
	message = "the rollback failed: " + message
	if err := c.fail(env, d, "rollback_failed", message); err != nil {
		return err
	}
	env.Health, env.HealthMessage = Unhealthy, message
	return nil
}

func orText(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// approveRewrites counts the caller of a lifted hold as an approver of what
// waits for nothing but a word about a rewritten branch (I13).
func (c *change) approveRewrites(env *Environment) {
	for _, id := range slices.Clone(env.Waiting) {
		known := c.deployments.get(id)
		if known == nil || known.State != AwaitingApproval || !slices.Equal(known.ApprovalReasons, []string{ReasonRewritten}) {
			continue
		}
		d := *known
		if c.mayApprove(&d) == nil {
			_ = c.countApproval(env, &d, "the hold of the rewritten branch was lifted")
		}
	}
}
