package fsm

import (
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// cancel fails what is not active yet.
func (c *change) cancel(command *pb.CancelCommand) (Result, error) {
	d, env, err := c.deployment(command.GetDeploymentId())
	if err != nil {
		return Result{}, err
	}
	reason := strings.TrimSpace(command.GetReason())
	op := env.Operation
	switch {
	case reason == "":
		return Result{}, refuse(ClassInvalid, "no_reason", "a cancellation needs a reason")
	case gatedRollback(env, d):
		c.close(env, op, false, "cancelled by "+c.actor()+": "+reason)
		c.audit("deployment.cancel", env.Name, d.ID, reason, "rollback to "+op.TargetID)
	case d.State.Waiting():
		err = c.fail(env, d, "cancelled", "cancelled by "+c.actor()+": "+reason)
	case d.State == Applying && op != nil && op.Kind == Deploy && op.DeploymentID == d.ID && op.Phase != Verifying:
		if err = c.fail(env, d, "cancelled", "cancelled by "+c.actor()+": "+reason); err == nil {
			c.close(env, op, false, "cancelled")
		}
	case d.State == Applying:
		err = refuse(ClassPrecondition, "active", "deployment %s is activated already: roll back instead", d.ID)
	default:
		err = refuse(ClassPrecondition, "wrong_state", "deployment %s is %s: there is nothing to cancel", d.ID, d.State)
	}
	if err != nil {
		return Result{}, err
	}
	c.retain(env)
	c.decide(env)
	return result(env, d.ID), nil
}

// retry begins a failed or rolled back deployment again and lifts its hold.
// With an override it also pushes one that waits through pause and window.
func (c *change) retry(command *pb.RetryCommand) (Result, error) {
	d, env, err := c.deployment(command.GetDeploymentId())
	if err != nil {
		return Result{}, err
	}
	if d.State.Waiting() && command.GetOverride() {
		err = c.override(env, d, command.GetReason())
	} else {
		err = c.again(env, d, command)
	}
	if err != nil {
		return Result{}, err
	}
	c.retain(env)
	c.decide(env)
	return result(env, d.ID), nil
}

func (c *change) again(env *Environment, d *Deployment, command *pb.RetryCommand) error {
	switch {
	case d.State != Failed && d.State != RolledBack:
		return refuse(ClassPrecondition, "wrong_state", "deployment %s is %s: only what failed or was rolled back can be retried", d.ID, d.State)
	case command.GetOverride() && strings.TrimSpace(command.GetReason()) == "":
		return refuse(ClassInvalid, "no_reason", "an override needs a reason")
	case d.Imported:
		return refuse(ClassPrecondition, "no_content", "deployment %s was imported, without its content: commit what it had", d.ID)
	case !d.HasContent:
		return refuse(ClassPrecondition, "no_content", "deployment %s failed its checks: commit a correction, or read it again with `honua environment sync %s --lift-hold`", d.ID, env.Name)
	case c.bundles.get(d.Digest) == nil:
		return refuse(ClassPrecondition, "no_content", "the content of deployment %s is not kept any more", d.ID)
	case env.Operation != nil && env.Operation.involves(d):
		return refuse(ClassExists, "in_flight", "environment %q is busy with deployment %s", env.Name, d.ID)
	case env.Active != nil && env.Active.Digest == d.Digest && env.Health != Unhealthy:
		return refuse(ClassExists, "active", "environment %q serves the content of deployment %s already", env.Name, d.ID)
	}
	if err := c.signed(env.Name, d.Signature); err != nil {
		return err
	}
	c.lift(env, d)
	d.Overridden = command.GetOverride()
	d.Error, d.ReasonCode, d.Problems = "", "", nil
	d.RolledBackTo, d.Rewritten = "", false
	message := "retried by " + c.actor()
	if reason := strings.TrimSpace(command.GetReason()); reason != "" {
		message += ": " + reason
	}
	if d.Overridden {
		c.audit("deployment.override", env.Name, d.ID, command.GetReason(), "")
	}
	d.InitiatedBy = c.actor()
	env.CurrentID = d.ID
	env.Counters.Total++
	if err := c.move(d, Pending, message); err != nil {
		return err
	}
	return c.await(env, d)
}
