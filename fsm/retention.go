package fsm

import "slices"

// What an environment keeps content of, beside what is active, in flight and
// completed last: the newest completed contents within a bound, and the newest
// others that a retry may begin again.
const (
	keepCompleted   = 10
	keepOthers      = 3
	keepBytes       = 256 << 20
	maxHolds        = 1000
	maxTransitions  = 64
	scanDeployments = 256
)

// retain brings the contents that an environment keeps, and its records, in
// line with what happened. Call it last: env is put back by the caller.
func (c *change) retain(env *Environment) {
	kept := c.contents(env)
	for _, digest := range kept {
		if !slices.Contains(env.Kept, digest) {
			c.refer(digest, 1)
		}
	}
	for _, digest := range env.Kept {
		if !slices.Contains(kept, digest) {
			c.refer(digest, -1)
		}
	}
	env.Kept = kept
	c.trimHistory(env)
}

func (c *change) refer(digest string, by int) {
	b := c.bundles.get(digest)
	if b == nil {
		return
	}
	alter := *b
	alter.Refs = uint32(int(alter.Refs) + by)
	if alter.Refs == 0 {
		c.bundles.drop(digest)
		return
	}
	c.bundles.put(&alter)
}

// contents lists the digests to keep, the indispensable first.
func (c *change) contents(env *Environment) []string {
	var kept []string
	var bytes int64
	add := func(digest string, bounded bool) bool {
		b := c.bundles.get(digest)
		if b == nil || slices.Contains(kept, digest) {
			return false
		}
		if size := int64(len(b.Compressed)); !bounded || bytes+size <= keepBytes {
			bytes += size
			kept = append(kept, digest)
			return true
		}
		return false
	}
	if env.Active != nil {
		add(env.Active.Digest, false)
	}
	if env.Operation != nil {
		add(env.Operation.Digest, false)
	}
	for _, id := range append([]string{env.LastCompletedID, env.CurrentID}, env.Waiting...) {
		if d := c.deployments.get(id); d != nil {
			add(d.Digest, false)
		}
	}
	completed, others, seen := 0, 0, 0
	for d := range c.byAge.now().back(env.Name+"\x00", join(env.Name, number(^uint64(0)))) {
		if seen++; seen > scanDeployments || (completed >= keepCompleted && others >= keepOthers) {
			break
		}
		switch {
		case d.EverCompleted && completed < keepCompleted:
			if add(d.Digest, true) || slices.Contains(kept, d.Digest) {
				completed++
			}
		case !d.EverCompleted && d.HasContent && others < keepOthers && add(d.Digest, true):
			others++
		}
	}
	return kept
}

// trimHistory drops the oldest records over the limit, but none that is
// active, in flight, waiting or the last that completed.
func (c *change) trimHistory(env *Environment) {
	limit := c.meta.Settings.historyLimit()
	var drop []*Deployment
	seen := 0
	for d := range c.byAge.now().back(env.Name+"\x00", join(env.Name, number(^uint64(0)))) {
		seen++
		if seen > limit && !inUse(env, d.ID) {
			drop = append(drop, d)
		}
	}
	for _, d := range drop {
		c.dropDeployment(d)
	}
	c.trimActivations(env, limit)
}

// trimHolds bounds the holds of an environment: they outlive the records of
// their deployments, and the oldest go when there are too many.
func (c *change) trimHolds(env *Environment) {
	var oldest *Hold
	count := 0
	for h := range c.holds.now().all(env.Name + "\x00") {
		if count++; oldest == nil || h.Since < oldest.Since {
			oldest = h
		}
	}
	if count > maxHolds {
		c.holds.drop(join(env.Name, oldest.Digest))
	}
}

func inUse(env *Environment, id string) bool {
	if env.Active != nil && env.Active.DeploymentID == id {
		return true
	}
	if op := env.Operation; op != nil && (op.DeploymentID == id || op.TargetID == id) {
		return true
	}
	return id == env.LastCompletedID || id == env.CurrentID || slices.Contains(env.Waiting, id)
}

func (c *change) trimActivations(env *Environment, limit int) {
	var drop []*Activation
	seen := 0
	for a := range c.activations.now().back(env.Name+"\x00", join(env.Name, number(^uint64(0)))) {
		if seen++; seen > limit {
			drop = append(drop, a)
		}
	}
	for _, a := range drop {
		c.activations.drop(join(a.Environment, number(a.Index)))
	}
}
