package fsm

import pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"

// observePoll records what a poll of a branch saw. A successful poll counts as
// an attempt of every environment of the branch, so that "stalled" means that
// polling stopped, not that the repository is quiet. A failed one counts as none.
func (c *change) observePoll(command *pb.ObservePoll) (Result, error) {
	findings := make(map[string]*pb.PollFinding, len(command.GetFindings()))
	for _, f := range command.GetFindings() {
		findings[f.GetEnvironment()] = f
	}
	for _, es := range c.meta.Settings.Environments {
		if es.Branch != command.GetBranch() {
			continue
		}
		env, err := c.environment(es.Name)
		if err != nil {
			return Result{}, err
		}
		if err := c.pollEnvironment(env, command, findings[es.Name]); err != nil {
			return Result{}, err
		}
		c.touch(env)
	}
	return Result{Value: command.GetGeneration()}, nil
}

func (c *change) pollEnvironment(env *Environment, command *pb.ObservePoll, finding *pb.PollFinding) error {
	env.NextPoll = command.GetNextPollMs()
	env.PollDone = max(env.PollDone, command.GetGeneration())
	env.PollErrorCode, env.PollError = command.GetErrorCode(), command.GetError()
	if code := finding.GetErrorCode(); code != "" && env.PollErrorCode == "" {
		env.PollErrorCode, env.PollError = code, finding.GetError()
	}
	c.endFaults(env)
	if env.PollErrorCode != "" {
		return nil
	}
	env.LastPoll = c.now()
	env.Counters.Total++
	env.Counters.Success++
	if finding == nil {
		return nil
	}
	moved := env.LatestCommit != finding.GetCommit()
	env.LatestCommit, env.LatestDigest = finding.GetCommit(), finding.GetDigest()
	if env.Active == nil || env.Active.Digest != env.LatestDigest {
		return nil
	}
	env.SyncedCommit = env.LatestCommit
	if moved && env.Operation == nil {
		return c.wentBack(env)
	}
	return nil
}

// wentBack supersedes what waits: the branch asks for what is active again.
func (c *change) wentBack(env *Environment) error {
	env.CurrentID = env.Active.DeploymentID
	waiting := env.Waiting
	for _, id := range waiting {
		d := *c.deployments.get(id)
		if err := c.move(&d, Superseded, "the branch went back to the active content with commit "+short(env.LatestCommit)); err != nil {
			return err
		}
		c.unwait(env, id)
		c.putDeployment(&d)
	}
	if len(waiting) > 0 {
		env.Sequence++
		c.retain(env)
	}
	return nil
}

// requestPoll is a hint to poll now: a sync, or a webhook.
func (c *change) requestPoll(command *pb.RequestPoll) (Result, error) {
	c.meta.PollGeneration++
	if name := command.GetEnvironment(); name != "" {
		env, err := c.environment(name)
		if err != nil {
			return Result{}, err
		}
		c.hint(env, command.GetLiftHold())
		r := result(env, "")
		r.Value = c.meta.PollGeneration
		return r, nil
	}
	matched := false
	for _, es := range c.meta.Settings.Environments {
		if command.GetBranch() != "" && es.Branch != command.GetBranch() {
			continue
		}
		env, err := c.environment(es.Name)
		if err != nil {
			return Result{}, err
		}
		c.hint(env, command.GetLiftHold())
		matched = true
	}
	if !matched {
		return Result{}, refuse(ClassNotFound, "unknown_branch", "no environment watches branch %q", command.GetBranch())
	}
	return Result{Value: c.meta.PollGeneration}, nil
}

func (c *change) hint(env *Environment, liftHold bool) {
	env.PollRequested = c.meta.PollGeneration
	if !liftHold {
		c.audit("environment.sync", env.Name, env.Name, "", "")
		c.touch(env)
		return
	}
	c.audit("environment.lift_hold", env.Name, env.Name, "", "")
	var lifted []string
	for h := range c.holds.now().all(env.Name + "\x00") {
		lifted = append(lifted, join(env.Name, h.Digest))
	}
	for _, key := range lifted {
		c.holds.drop(key)
	}
	c.approveRewrites(env)
	c.decide(env)
}
