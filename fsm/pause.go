package fsm

import (
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// pause keeps new content from being applied to an environment, or to all of
// them. Git is observed on, so that what waits is known.
func (c *change) pause(command *pb.PauseCommand) (Result, error) {
	reason := strings.TrimSpace(command.GetReason())
	if reason == "" {
		return Result{}, refuse(ClassInvalid, "no_reason", "a pause needs a reason")
	}
	if until := command.GetUntilMs(); until != 0 && until <= c.now() {
		return Result{}, refuse(ClassInvalid, "until_past", "the end of the pause is in the past")
	}
	pause := &Pause{Reason: reason, Actor: c.actor(), Since: c.now(), Until: command.GetUntilMs()}
	if command.GetAll() {
		c.meta.Freeze = pause
		c.audit("cluster.freeze", "", "", reason, "")
		return Result{}, nil
	}
	env, err := c.environment(command.GetEnvironment())
	if err != nil {
		return Result{}, err
	}
	env.Pause = pause
	c.audit("environment.pause", env.Name, env.Name, reason, c.trial())
	c.decide(env)
	return result(env, ""), nil
}

// resume ends a pause; resuming what is not paused is done already.
func (c *change) resume(command *pb.ResumeCommand) (Result, error) {
	if command.GetAll() {
		if c.meta.Freeze != nil {
			c.meta.Freeze = nil
			c.audit("cluster.unfreeze", "", "", command.GetReason(), "")
		}
		return Result{}, nil
	}
	env, err := c.environment(command.GetEnvironment())
	if err != nil {
		return Result{}, err
	}
	if env.Pause != nil {
		env.Pause = nil
		c.audit("environment.resume", env.Name, env.Name, command.GetReason(), "")
		c.decide(env)
	}
	return result(env, ""), nil
}

// expirePause ends a pause whose time is over, by the replicated clock.
func (c *change) expirePause(command *pb.ExpirePause) (Result, error) {
	over := func(p *Pause) bool { return p != nil && p.Until != 0 && c.now() >= p.Until }
	if command.GetEnvironment() == "" {
		if !over(c.meta.Freeze) {
			return Result{}, refuse(ClassAborted, "not_expired", "the freeze is not over")
		}
		c.meta.Freeze = nil
		c.audit("cluster.unfreeze", "", "", "expired", "")
		return Result{}, nil
	}
	env, err := c.environment(command.GetEnvironment())
	if err != nil {
		return Result{}, err
	}
	if !over(env.Pause) {
		return Result{}, refuse(ClassAborted, "not_expired", "the pause of environment %q is not over", env.Name)
	}
	env.Pause = nil
	c.audit("environment.resume", env.Name, env.Name, "expired", "")
	c.decide(env)
	return result(env, ""), nil
}
