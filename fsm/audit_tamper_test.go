package fsm

import (
	"fmt"
	"testing"
)

// chained is a state with a few audit records.
func chained() *State {
	s := New()
	c := newChange(s, Entry{Index: 1}, nil)
	for i := range 5 {
		c.audit("deployment.approve", "production", fmt.Sprint("object ", i), "reason", "detail")
	}
	return c.commit()
}

func TestI16TamperingIsFound(t *testing.T) {
	if check := VerifyAudit(chained()); !check.Intact || check.Records != 5 {
		t.Fatalf("untouched, the chain is %+v", check)
	}
	for name, test := range map[string]struct {
		tamper func(*change)
		at     uint64
	}{
		"altered": {func(c *change) {
			r := *c.audits.get(number(3))
			r.Actor = "somebody else"
			c.audits.put(&r)
		}, 3},
		"altered and hashed anew": {func(c *change) {
			r := *c.audits.get(number(3))
			r.Actor = "somebody else"
			r.Hash = auditHash(c.audits.get(number(2)).Hash, &r)
			c.audits.put(&r)
		}, 4},
		"removed":        {func(c *change) { c.audits.drop(number(3)) }, 4},
		"first removed":  {func(c *change) { c.audits.drop(number(1)) }, 2},
		"newest removed": {func(c *change) { c.audits.drop(number(5)) }, 5},
		"moved between fields": {func(c *change) {
			r := *c.audits.get(number(2))
			r.Object, r.Reason = r.Object+r.Reason, ""
			c.audits.put(&r)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChange(chained(), Entry{Index: 2}, nil)
			test.tamper(c)
			if check := VerifyAudit(c.commit()); check.Intact || check.BrokenAt != test.at {
				t.Fatalf("the chain is %+v, want broken at %d", check, test.at)
			}
		})
	}
}

func TestTransitionTableIsTotal(t *testing.T) {
	for state := range stateNames {
		ways, known := transitions[DeploymentState(state)]
		if !known {
			t.Errorf("state %q has no line in the table", DeploymentState(state))
		}
		for _, to := range ways {
			if to == StateNone || int(to) >= len(stateNames) {
				t.Errorf("state %q leads to %d", DeploymentState(state), to)
			}
		}
	}
	if len(transitions) != len(stateNames) {
		t.Errorf("%d lines for %d states", len(transitions), len(stateNames))
	}
}

func TestI3MemoryOfRequestsIsBounded(t *testing.T) {
	c := newChange(New(), Entry{Index: 1}, nil)
	c.meta.Now = 1_000_000
	const limit = 100
	for i := range limit + 1 {
		r := &Request{ID: fmt.Sprint(i), Ordinal: c.ordinal(), IssuedAt: int64(i), At: c.now()}
		c.requests.put(r)
		c.requestAges.put(r)
	}
	c.forgetRequests(limit)
	if got := c.requests.now().len(); got != limit || c.requestAges.now().len() != got {
		t.Fatalf("%d requests are remembered", got)
	}
	if c.requests.get("0") != nil || c.requests.get("1") == nil {
		t.Fatal("not the oldest was forgotten")
	}
}
