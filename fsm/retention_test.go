package fsm_test

import (
	"fmt"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestContentsThatAreKept(t *testing.T) {
	l := newLab(t)
	broken := l.commit("production", "broken")
	l.ok(l.begin("production", broken))
	l.ok(l.stage("production", "a: no"))
	l.advance(minute)
	var ids []string
	for i := range 15 {
		ids = append(ids, l.deploy("production", fmt.Sprintf("c%02d", i)))
	}
	for i, id := range ids {
		kept := l.state.Bundle(l.deployment(id).Digest) != nil
		if want := i >= 5; kept != want {
			t.Errorf("content of deployment %d of 15: kept %t, want %t", i, kept, want)
		}
	}
	if l.state.Bundle(l.deployment(broken).Digest) == nil {
		t.Error("the content that a retry needs is gone")
	}
	for b := range l.state.Bundles() {
		if b.Refs != 1 {
			t.Errorf("content %s has %d references", b.Digest[:7], b.Refs)
		}
	}
}

func TestContentOfTwoEnvironmentsIsStoredOnce(t *testing.T) {
	l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()))
	l.commit("production", "c1")
	id := l.ok(l.lead(l.creation("staging", "c1", "c1"))).DeploymentID
	if b := l.state.Bundle(digestOf("c1")); b.Refs != 2 {
		t.Fatalf("%d references", b.Refs)
	}
	l.commit("production", "c2")
	for i := range 4 { // push the superseded one out of what a retry may need
		l.commit("production", fmt.Sprint("more", i))
	}
	if b := l.state.Bundle(digestOf("c1")); b == nil || b.Refs != 1 {
		t.Fatalf("the content that staging needs is %+v", b)
	}
	l.run("staging", id)
}

func TestHistoryLimit(t *testing.T) {
	l := newLab(t)
	short := settings(environment("production", plainPolicy()))
	short.HistoryLimit = 3
	l.ok(l.ask("admin", &pb.SetSettings{Settings: short}))
	active := l.deploy("production", "c1")
	for i := range 6 {
		id := l.commit("production", fmt.Sprint("bad", i))
		l.ok(l.begin("production", id))
		l.ok(l.stage("production", "a: no"))
		l.advance(minute)
	}
	if l.state.Deployment(active) == nil {
		t.Fatal("the record of what is active is gone")
	}
	if deployments, _, _ := l.state.Counts(); deployments != 4 {
		t.Fatalf("%d records are kept", deployments)
	}
	// What has no record any more is held all the same.
	l.upload("bad0")
	l.refused(l.lead(l.creation("production", "bad0", "bad0")), fsm.ClassPrecondition, "held")
	for i := range 5 {
		l.deploy("production", fmt.Sprint("good", i))
	}
	n := 0
	for a := range l.state.Activations("production") {
		if want := uint64(6 - n); a.Index != want {
			t.Fatalf("I4: activation %d, want %d", a.Index, want)
		}
		n++
	}
	if n != 3 {
		t.Fatalf("%d activations are kept", n)
	}
}
