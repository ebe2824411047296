package fsm

import (
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// finish closes an operation with what the nodes found in what they now serve.
// Only an explicit failure, by an available node, of what had passed at staging
// counts against it; silence at the deadline degrades and is named.
func (c *change) finish(command *pb.FinishDeployment) (Result, error) {
	env, op, err := c.operation(command.GetEnvironment(), command.GetExpectedSequence(), command.GetOperation(), Verifying)
	if err != nil {
		return Result{}, err
	}
	op.answer(command.GetAnswers(), func(p *Participant) *Answer { return &p.Verified })
	for _, p := range op.Participants {
		if p.Verified == AnswerYes {
			c.noteServed(p.NodeID, env.Active, env.Name)
		}
	}
	late := command.GetDeadline() && c.now() >= op.Deadline
	failed, silent := c.verification(op)
	switch {
	case len(failed) > 0:
		err = c.verificationFailed(env, op, failed)
	case len(silent) == 0:
		err = c.complete(env, op, "")
	case late:
		err = c.complete(env, op, "no answer to verification from "+strings.Join(silent, ", "))
	}
	if err != nil {
		return Result{}, err
	}
	c.retain(env)
	c.decide(env)
	return result(env, op.DeploymentID), nil
}

func (c *change) verification(op *Operation) (failed, silent []string) {
	for i := range op.Participants {
		p := &op.Participants[i]
		switch {
		case !c.counts(p) || p.Verified == AnswerYes:
		case p.Verified == AnswerNone:
			silent = append(silent, p.NodeID)
		case len(p.Problems) == 0:
			failed = append(failed, p.NodeID+": verification failed")
		default:
			for _, problem := range p.Problems {
				failed = append(failed, p.NodeID+": "+problem)
			}
		}
	}
	return failed, silent
}

// complete ends an operation whose content is served.
func (c *change) complete(env *Environment, op *Operation, degraded string) error {
	d := *c.deployments.get(op.DeploymentID)
	var err error
	switch op.Kind {
	case Rollback:
		err = c.completeRollback(env, op, &d)
	case Deploy:
		err = c.completeDeployment(env, op, &d)
	}
	if err != nil {
		return err
	}
	if degraded != "" {
		d.Health = Degraded
	}
	c.putDeployment(&d)
	env.CurrentID = d.ID
	c.close(env, op, true, degraded)
	if degraded != "" {
		env.Health, env.HealthMessage = Degraded, degraded
	}
	return nil
}

func (c *change) completeDeployment(env *Environment, op *Operation, d *Deployment) error {
	d.EverCompleted, d.Overridden, d.ReasonCode, d.Error = true, false, "", ""
	env.LastCompletedID = d.ID
	env.Counters.Success++
	env.Counters.Succeeded.Observe(c.now() - op.Begun)
	return c.move(d, Completed, "served by every available node")
}

// verificationFailed rolls back where the policy says so and there is something
// to roll back to. A rollback's own verification never rolls back: it stops.
func (c *change) verificationFailed(env *Environment, op *Operation, problems []string) error {
	d := *c.deployments.get(op.DeploymentID)
	message := strings.Join(problems, "; ")
	if op.Kind != Deploy {
		if op.Kind == Rollback {
			if err := c.completeRollback(env, op, &d); err != nil {
				return err
			}
			c.putDeployment(&d)
		}
		c.close(env, op, false, message)
		env.Health, env.HealthMessage = Unhealthy, message
		return nil
	}
	d.Problems, d.Error, d.ReasonCode = problems, problems[0], "verification_failed"
	c.hold(env, &d, d.ReasonCode)
	target := c.rollbackTarget(env, d.Digest)
	if d.Policy.AutoRollback && target != nil {
		c.enter(&d, RollingBack, "verification failed, rolling back to "+target.ID)
		c.putDeployment(&d)
		c.close(env, op, false, message)
		env.Operation = c.rollbackOperation(&d, target)
		env.Operation.Automatic, env.Operation.Cause, env.Operation.Begun = true, message, op.Begun
		env.Health = Progressing
		return nil
	}
	if err := c.fail(env, &d, "verification_failed", problems[0]); err != nil {
		return err
	}
	c.close(env, op, false, message)
	env.Health, env.HealthMessage = Unhealthy, message
	return nil
}
