package fsm_test

import (
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
)

// Nodes that restart one after another must not leave an operation without a majority: who came back after staging
// began may take the place of who went since.
func TestReturnedNodeTakesTheLostOnesPlace(t *testing.T) {
	l := newLab(t)
	l.observe("c", false)
	id := l.commit("production", "c1")
	l.ok(l.begin("production", id))
	l.observe("b", false)
	l.ok(l.stage("production", "a"))
	l.refused(l.activate("production"), fsm.ClassPrecondition, "no_majority")
	l.ok(l.stage("production", "c")) // not available yet
	l.refused(l.activate("production"), fsm.ClassPrecondition, "no_majority")
	l.observe("c", true)
	l.ok(l.stage("production", "c: it has no veto"))
	l.is(id, fsm.Applying)
	l.refused(l.activate("production"), fsm.ClassPrecondition, "no_majority")
	l.ok(l.stage("production", "c"))
	l.ok(l.activate("production"))
	l.ok(l.finish("production", "a", "c"))
	l.is(id, fsm.Completed)
	l.serves("production", id)
}
