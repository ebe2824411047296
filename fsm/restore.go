package fsm

import (
	"encoding/hex"
	"fmt"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// restoreBackup replaces the state by a backup's and opens a new epoch. It is
// one entry of the log, so that every node does it at the same index or none
// does. What belongs to this cluster stays: its id, its nodes, its clock, its
// indexes. What the cluster serves is activated again under new indexes, so
// that every node takes it up (I4); what was under way is not.
func (c *change) restoreBackup(command *pb.RestoreBackup) (Result, error) {
	if strings.TrimSpace(command.GetReason()) == "" {
		return Result{}, refuse(ClassInvalid, "no_reason", "a restore needs a reason")
	}
	saved, err := c.storedBackup(command.GetUploadId(), command.GetDigest())
	if err != nil {
		return Result{}, err
	}
	if err := c.replaceable(saved, command.GetForce()); err != nil {
		return Result{}, err
	}
	before, pristine := c.base, c.pristine()
	cut := fmt.Sprintf("snapshot index=%d epoch=%d cluster=%s hash=%s; replaced index=%d epoch=%d audit=%d head=%s",
		saved.meta.Index, saved.meta.Epoch, saved.meta.ClusterID, hexHash(saved.Hash()),
		before.meta.Index, before.meta.Epoch, before.meta.AuditSequence, hexHash(before.meta.AuditHead))
	now, term := c.meta.Now, c.meta.Term
	*c = *newChange(saved, c.entry, c.envelope)
	c.continueFrom(&before.meta, now, term)
	c.keepMembers(before, pristine)
	c.audit("cluster.restore", "", c.meta.ClusterID, command.GetReason(), cut)
	again := c.activateAgain(before)
	return Result{Value: uint64(again), Message: fmt.Sprintf("epoch=%d", c.meta.Epoch)}, nil
}

func hexHash(h [32]byte) string { return hex.EncodeToString(h[:]) }

// pristine reports whether nothing was ever activated here.
func (c *change) pristine() bool {
	for env := range c.environments.now().all("") {
		if env.LastActivation > 0 {
			return false
		}
	}
	return c.meta.Epoch == 1
}

// replaceable refuses what an operator may not mean: to lose what the cluster
// has to the backup of another one.
func (c *change) replaceable(saved *State, force bool) error {
	switch {
	case saved.meta.ClusterID == "" || saved.meta.Settings == nil:
		return refuse(ClassInvalid, "backup_empty", "the backup is of a cluster that was never initialised; nothing was changed")
	case force:
		return nil
	case saved.meta.ClusterName != c.meta.ClusterName:
		return refuse(ClassPrecondition, "foreign_backup", "the backup is of cluster %q, this is %q: use --force if that is meant; nothing was changed",
			saved.meta.ClusterName, c.meta.ClusterName)
	case saved.meta.ClusterID != c.meta.ClusterID && !c.pristine():
		return refuse(ClassPrecondition, "foreign_backup", "the backup is of cluster id %s, this is %s and serves content of its own: use --force if that is to be lost; nothing was changed",
			saved.meta.ClusterID, c.meta.ClusterID)
	}
	return nil
}

// continueFrom keeps what must not go back: the index, the clock, the numbers
// that were given out. Requests that were issued before are refused, because
// what became of them is forgotten (I3).
func (c *change) continueFrom(before *Meta, now int64, term uint64) {
	m := &c.meta
	m.ClusterID, m.ClusterName = before.ClusterID, before.ClusterName
	m.Format = max(m.Format, before.Format)
	m.Index, m.Term, m.Now = c.entry.Index, term, max(m.Now, now)
	m.Epoch = max(m.Epoch, before.Epoch) + 1
	m.Ordinal = max(m.Ordinal, before.Ordinal)
	m.PollGeneration = max(m.PollGeneration, before.PollGeneration)
	m.RequestHorizon = max(m.RequestHorizon, before.RequestHorizon, c.envelope.GetIssuedAtMs()-1)
	if before.Freeze != nil {
		m.Freeze = before.Freeze
	}
}

// keepMembers: the nodes are those that there are, whatever there were when the
// backup was made. Tokens too: one that was revoked since does not come back,
// unless this cluster had no life of its own.
func (c *change) keepMembers(before *State, pristine bool) {
	var gone []string
	for n := range c.base.nodes.all("") {
		gone = append(gone, n.ID)
	}
	for _, id := range gone {
		c.nodes.drop(id)
	}
	for n := range before.nodes.all("") {
		c.nodes.put(n)
	}
	gone = nil
	for t := range c.base.tokens.all("") {
		if before.tokens.get(t.ID) == nil && !pristine {
			gone = append(gone, t.ID)
		}
	}
	for _, id := range gone {
		c.tokens.drop(id)
	}
	for t := range before.tokens.all("") {
		c.tokens.put(t)
	}
	c.dropUnfinished()
}

// activateAgain ends what was under way and gives every environment that serves
// something a new activation index. It returns how many there are.
func (c *change) activateAgain(before *State) int {
	again := 0
	for saved := range c.base.environments.all("") {
		env := *saved
		if known := before.environments.get(env.Name); known != nil {
			env.LastActivation = max(env.LastActivation, known.LastActivation)
			env.Sequence = max(env.Sequence, known.Sequence)
			env.PollRequested = max(env.PollRequested, known.PollRequested)
		}
		c.interruptByRestore(&env)
		if env.Active != nil && c.reactivate(&env) {
			again++
		}
		c.retain(&env)
		c.decide(&env)
	}
	return again
}

// interruptByRestore: nodes staged and answered for an operation that they know
// nothing of any more. Its deployment failed, and may be retried.
func (c *change) interruptByRestore(env *Environment) {
	op := env.Operation
	if op == nil {
		return
	}
	c.close(env, op, false, "interrupted by a restore")
	known := c.deployments.get(op.DeploymentID)
	if known == nil || known.State != Applying {
		return
	}
	d := *known
	c.unwait(env, d.ID)
	if env.Active != nil && env.Active.DeploymentID == d.ID {
		// It was activated and not verified to its end: it is what is served.
		c.line(&d, Completed, PhaseNone, "restored while it was verified")
		d.State, d.Phase, d.CompletedAt, d.EverCompleted, d.Health = Completed, PhaseNone, c.now(), true, Healthy
		env.LastCompletedID = d.ID
	} else {
		message := "interrupted by a restore"
		c.line(&d, Failed, PhaseNone, message)
		d.State, d.Phase, d.CompletedAt, d.Health = Failed, PhaseNone, c.now(), Unhealthy
		d.Error, d.ReasonCode = message, "restored"
		c.hold(env, &d, "restored")
	}
	c.audit("deployment."+actionOf(d.State), env.Name, d.ID, d.ReasonCode, "interrupted by a restore")
	c.putDeployment(&d)
}

func (c *change) reactivate(env *Environment) bool {
	target := c.deployments.get(env.Active.DeploymentID)
	if target == nil || c.bundles.get(env.Active.Digest) == nil {
		return false
	}
	synced := env.SyncedCommit
	c.makeActive(env, &Operation{Kind: Restore, Reason: "restored from a backup", Actor: c.actor()}, target)
	env.SyncedCommit = synced
	env.Health, env.HealthMessage = Healthy, ""
	return true
}
