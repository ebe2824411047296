package fsm_test

import (
	"fmt"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestInitHappensOnceAndFirst(t *testing.T) {
	l := empty(t)
	l.refused(l.lead(&pb.RegisterNode{NodeId: "a", Incarnation: "a1"}), fsm.ClassPrecondition, "not_initialised")
	good := settings(environment("production", nil))
	l.refused(l.lead(&pb.InitCluster{Settings: good}), fsm.ClassInvalid, "no_cluster_id")
	l.refused(l.lead(&pb.InitCluster{ClusterId: "id", Settings: settings()}), fsm.ClassInvalid, "no_environment")
	for _, name := range []string{"", "a/b", "..", "-x", "a b"} {
		l.refused(l.lead(&pb.InitCluster{ClusterId: "id", Settings: settings(environment(name, nil))}), fsm.ClassInvalid, "bad_environment")
	}
	twice := settings(environment("a", nil), environment("a", nil))
	l.refused(l.lead(&pb.InitCluster{ClusterId: "id", Settings: twice}), fsm.ClassInvalid, "bad_environment")
	l.ok(l.lead(&pb.InitCluster{ClusterId: "id", Settings: good}))
	l.refused(l.lead(&pb.InitCluster{ClusterId: "id", Settings: good}), fsm.ClassExists, "initialised")
	if !fsm.PolicyInForce(l.state, "production").RequiresApproval {
		t.Fatal("an environment without a policy is not the strictest")
	}
}

func TestSettingsFollowAMajorityOfFiles(t *testing.T) {
	l := newLab(t)
	report := func(node, digest string) {
		l.ok(l.lead(&pb.ObserveNode{NodeId: node, Incarnation: node + "1", Available: true, SettingsDigest: digest}))
	}
	next := settings(environment("production", plainPolicy()), environment("staging", plainPolicy()))
	follow := func(digest string) fsm.Result {
		return l.lead(&pb.SetSettings{Settings: next, FileDigest: digest, Supporters: []string{"a", "b"}})
	}
	report("a", "file-2")
	l.refused(follow("file-2"), fsm.ClassPrecondition, "no_majority") // whoever the leader says supports it
	report("b", "file-2")
	l.ok(follow("file-2"))
	if l.state.Environment("staging") == nil {
		t.Fatal("the new environment is missing")
	}
	l.refused(follow("file-2"), fsm.ClassAborted, "settings_known")
	// An admin's change is not undone by files that were followed before.
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", plainPolicy())), Reason: "less"}))
	l.refused(follow("file-2"), fsm.ClassAborted, "settings_known")
	l.refused(l.ask("admin", &pb.SetSettings{Settings: settings()}), fsm.ClassInvalid, "no_environment")
}

func TestRetiredEnvironmentKeepsItsHistory(t *testing.T) {
	l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()))
	id := l.deploy("staging", "c1")
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", plainPolicy()))}))
	if !l.env("staging").Retired || l.state.Deployment(id) == nil {
		t.Fatal("the history is gone")
	}
	l.refused(l.ask("ann", &pb.PauseCommand{Environment: "staging", Reason: "r"}), fsm.ClassNotFound, "unknown_environment")
	l.refused(l.lead(l.creation("staging", "c2", "c1")), fsm.ClassNotFound, "unknown_environment")
	l.ok(l.ask("admin", &pb.SetSettings{Settings: settings(environment("production", plainPolicy()), environment("staging", plainPolicy()))}))
	l.deploy("staging", "c2")
	if got := l.env("staging").LastActivation; got != 2 {
		t.Fatalf("I4: the activation index is %d after its return", got)
	}
}

func TestNodes(t *testing.T) {
	l := newLab(t)
	l.refused(l.lead(&pb.RegisterNode{NodeId: "d"}), fsm.ClassInvalid, "bad_node")
	l.refused(l.lead(&pb.ForgetNode{NodeId: "d"}), fsm.ClassNotFound, "unknown_node")
	l.refused(l.lead(&pb.ObserveNode{NodeId: "d", Incarnation: "d1"}), fsm.ClassNotFound, "unknown_node")
	l.refused(l.lead(&pb.ObserveNode{NodeId: "a", Incarnation: "a0"}), fsm.ClassAborted, "stale_incarnation")
	l.observe("a", false)
	l.ok(l.lead(&pb.RegisterNode{NodeId: "a", Incarnation: "a1", Voter: true, RaftAddress: "198.51.100.1:7701"}))
	if n := l.state.Node("a"); n.Available || n.RaftAddress == "" {
		t.Fatalf("a new address of the same directory made %+v", n)
	}
	l.ok(l.lead(&pb.RegisterNode{NodeId: "a", Incarnation: "a2", Voter: true}))
	if n := l.state.Node("a"); !n.Available || len(n.Serves) != 0 {
		t.Fatalf("an empty directory made %+v", n)
	}
}

// What is under way in an environment that is taken out of the settings ends with it.
func TestRetiredMidDeployment(t *testing.T) {
	l := newLab(t, environment("production", plainPolicy()), environment("staging", plainPolicy()))
	id := l.commit("staging", "c1")
	l.ok(l.begin("staging", id))
	l.ok(l.ask("ann", &pb.SetSettings{Settings: settings(environment("production", plainPolicy()))}))
	d := l.is(id, fsm.Failed)
	if d.ReasonCode != "environment_retired" || l.env("staging").Operation != nil {
		t.Fatalf("%+v", d)
	}
	l.ok(l.ask("ann", &pb.SetSettings{Settings: settings(environment("production", plainPolicy()), environment("staging", plainPolicy()))}))
	l.ok(l.ask("ann", &pb.RetryCommand{DeploymentId: id}))
	l.run("staging", id)
}

// Holds outlive the records of their deployments, and not without end.
func TestHoldsAreBounded(t *testing.T) {
	l := empty(t)
	s := settings(environment("production", plainPolicy()))
	s.HistoryLimit = 5
	l.ok(l.lead(&pb.InitCluster{ClusterId: "id", Settings: s}))
	for i := range 1010 {
		m := l.creation("production", fmt.Sprintf("commit-%04d", i), fmt.Sprintf("text %d", i))
		m.Problems, m.ReasonCode = []string{"wrong"}, "validation_failed"
		l.ok(l.lead(m))
		l.advance(minute)
	}
	holds := 0
	for range l.state.Holds("production") {
		holds++
	}
	if holds != 1000 || l.state.Hold("production", digestOf("text 1009")) == nil || l.state.Hold("production", digestOf("text 0")) != nil {
		t.Fatalf("%d holds are kept", holds)
	}
}
