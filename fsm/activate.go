package fsm

import (
	"fmt"
	"slices"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// activate is the one decision for all nodes: what every node is to serve from
// here on. It is taken only if every participant has staged, or became
// unavailable or left since, and a majority of the voters has staged.
func (c *change) activate(command *pb.Activate) (Result, error) {
	env, op, err := c.operation(command.GetEnvironment(), command.GetExpectedSequence(), command.GetOperation(), Activating)
	if err != nil {
		return Result{}, err
	}
	if err := c.mayActivate(op, command.GetVoters()); err != nil {
		return Result{}, err
	}
	target := c.deployments.get(op.TargetID)
	if target == nil || c.bundles.get(op.Digest) == nil {
		return Result{}, refuse(ClassPrecondition, "no_content", "the content of deployment %s is not kept", op.TargetID)
	}
	c.makeActive(env, op, target)
	op.Phase = Verifying
	op.Deadline = c.now() + c.policyOf(env, target).healthCheckTimeout()
	c.showPhase(op, Verifying, fmt.Sprintf("activated as %d", op.ActivationIndex))
	if op.Kind != Rollback {
		env.AfterRollback = false
	}
	c.regate(env)
	c.retain(env)
	c.decide(env)
	r := result(env, op.DeploymentID)
	r.Value = op.ActivationIndex
	return r, nil
}

func (c *change) mayActivate(op *Operation, voters []string) error {
	staged := 0
	for i := range op.Participants {
		p := &op.Participants[i]
		voter := slices.Contains(voters, p.NodeID)
		switch {
		case p.Staged == AnswerYes && voter:
			staged++
		case voter && c.counts(p):
			return refuse(ClassPrecondition, "not_staged", "node %q has not staged it", p.NodeID)
		}
	}
	if staged*2 <= len(voters) {
		return refuse(ClassPrecondition, "no_majority", "%d of %d voters have staged it", staged, len(voters))
	}
	return nil
}

// makeActive gives out the next activation index; indexes only grow (I4).
func (c *change) makeActive(env *Environment, op *Operation, target *Deployment) {
	if !plantReuseIndex || env.LastActivation == 0 {
		env.LastActivation++
	}
	op.ActivationIndex = env.LastActivation
	env.Active = &Active{
		Index: op.ActivationIndex, Epoch: c.meta.Epoch, Kind: op.Kind, DeploymentID: target.ID,
		Commit: target.Commit, Digest: target.Digest, At: c.now(), Policy: target.NextPolicy,
	}
	if env.LatestDigest == target.Digest {
		env.SyncedCommit = env.LatestCommit
	} else {
		env.SyncedCommit = target.Commit
	}
	c.activations.put(&Activation{
		Environment: env.Name, Index: op.ActivationIndex, Epoch: c.meta.Epoch, Kind: op.Kind,
		DeploymentID: target.ID, Commit: target.Commit, Digest: target.Digest, At: c.now(),
		Reason: op.Reason, Actor: op.Actor, RaftIndex: c.entry.Index,
	})
	d := *target
	d.Activation = op.ActivationIndex
	c.putDeployment(&d)
	env.Health, env.HealthMessage = Progressing, ""
	c.audit("environment.activate", env.Name, target.ID, op.Kind.String(),
		fmt.Sprintf("index=%d digest=%s commit=%s", op.ActivationIndex, target.Digest, target.Commit))
}
