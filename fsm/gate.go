package fsm

import (
	"slices"
	"strings"
)

// await puts a pending deployment in line: behind its gate, and before what it
// supersedes.
func (c *change) await(env *Environment, d *Deployment) error {
	c.unwait(env, d.ID)
	env.Waiting = append(env.Waiting, d.ID)
	if err := c.gate(env, d); err != nil {
		return err
	}
	c.putDeployment(d)
	return c.supersede(env, d)
}

// gate asks for approval where the policy in force does. Approvals are bound to
// that policy: under another one they count no more.
func (c *change) gate(env *Environment, d *Deployment) error {
	d.Policy = policyInForce(c.meta.Settings, env, env.Name)
	d.Approvals, d.AwaitingSince = nil, 0
	d.ApprovalReasons, d.Required = approvalReasons(d.Policy, d, env.AfterRollback), 0
	if len(d.ApprovalReasons) == 0 || d.Overridden {
		return nil
	}
	d.Required = max(1, d.Policy.MinimumApprovers)
	d.AwaitingSince = c.now()
	return c.move(d, AwaitingApproval, "approval is needed: "+strings.Join(d.ApprovalReasons, ", "))
}

// regate asks again for what waits, where the policy in force or what it looks
// at changed since.
func (c *change) regate(env *Environment) {
	policy := policyInForce(c.meta.Settings, env, env.Name)
	for _, id := range slices.Clone(env.Waiting) {
		known := c.deployments.get(id)
		if known == nil || known.Overridden {
			continue
		}
		reasons := approvalReasons(policy, known, env.AfterRollback)
		d := *known
		if known.Policy.Digest() == policy.Digest() && stillAsked(reasons, known.ApprovalReasons) {
			if len(reasons) != len(known.ApprovalReasons) {
				d.ApprovalReasons = reasons
				c.putDeployment(&d)
			}
			continue
		}
		if d.State == AwaitingApproval {
			if c.move(&d, Pending, "the policy changed") != nil {
				continue
			}
		}
		if c.gate(env, &d) == nil {
			c.putDeployment(&d)
		}
	}
}

// stillAsked reports whether there is no new reason for approval, and still one
// if there was one: what approvers said then goes on counting.
func stillAsked(reasons, before []string) bool {
	for _, reason := range reasons {
		if !slices.Contains(before, reason) {
			return false
		}
	}
	return len(reasons) > 0 || len(before) == 0
}

// approved reports whether a deployment has what its gate asked for (I5).
func (d *Deployment) approved() bool {
	given := uint32(len(d.Approvals))
	if plantCountTwice {
		given *= 2
	}
	return d.Overridden || given >= d.Required
}

// supersede ends what waits behind a newer deployment. What was approved and
// waits gives way only to something that is itself eligible.
func (c *change) supersede(env *Environment, by *Deployment) error {
	for _, id := range slices.Clone(env.Waiting) {
		known := c.deployments.get(id)
		if known == nil || id == by.ID || known.Ordinal > by.Ordinal {
			continue
		}
		kept := known.State == Pending && (known.Required > 0 || known.Overridden) && known.approved()
		if kept && by.State != Pending {
			continue
		}
		d := *known
		d.SupersededBy = by.ID
		if err := c.move(&d, Superseded, "superseded by "+by.ID); err != nil {
			return err
		}
		c.unwait(env, id)
		c.putDeployment(&d)
	}
	return nil
}
