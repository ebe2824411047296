package admin

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestEnvironments(t *testing.T) {
	a := serve(t)
	id := a.node.Deploy("roads")
	answer, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.GetEnvironments()) != 2 || answer.GetFreeze() != nil {
		t.Fatalf("%v", answer)
	}
	e := answer.GetEnvironments()[0]
	if e.GetName() != "development" || e.GetActiveDeploymentId() != id || e.GetActivationIndex() != 1 || e.GetDeployedCommit() != admintest.Commit("roads") {
		t.Errorf("%v", e)
	}
	if e.GetCurrentDeployment().GetId() != id || e.GetLastSuccessfulDeploymentId() != id || e.GetHealth() != pb.Health_HEALTH_HEALTHY {
		t.Errorf("%v", e)
	}
	if served := e.GetServedBy(); len(served) != 1 || served[0].GetActivationIndex() != 1 || served[0].GetDigest() != e.GetActiveDigest() {
		t.Errorf("served by %v", served)
	}
}

func TestActivations(t *testing.T) {
	a := serve(t)
	a.node.Deploy("roads")
	a.node.Deploy("rivers")
	a.node.Deploy("lakes")
	var indexes []uint64
	token := ""
	for {
		page, err := a.environments.ListActivations(t.Context(), &pb.ListActivationsRequest{Environment: "development", PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, activation := range page.GetActivations() {
			indexes = append(indexes, activation.GetIndex())
			if activation.GetKind() != "deploy" || activation.GetEpoch() != 1 {
				t.Errorf("%v", activation)
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(indexes) != 3 || indexes[0] != 3 || indexes[2] != 1 {
		t.Errorf("indexes %v", indexes)
	}
}

func TestPauseAndResume(t *testing.T) {
	a := serve(t)
	until := timestamppb.New(epoch.Add(time.Hour))
	paused, err := a.environments.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{Environment: "production", Reason: "fair", Until: until, Actor: "grace"})
	if err != nil {
		t.Fatal(err)
	}
	if p := paused.GetEnvironment().GetPause(); p.GetReason() != "fair" || p.GetActor() != "grace" || !p.GetUntil().AsTime().Equal(until.AsTime()) {
		t.Errorf("%v", p)
	}
	frozen, err := a.environments.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{All: true, Reason: "holidays"})
	if err != nil || frozen.GetEnvironment() != nil {
		t.Errorf("%v, %v", frozen, err)
	}
	shown, err := a.environments.GetEnvironment(t.Context(), &pb.GetEnvironmentRequest{Name: "development"})
	if err != nil || shown.GetFreeze().GetReason() != "holidays" || shown.GetEnvironment().GetPause() != nil {
		t.Errorf("%v, %v", shown, err)
	}
	if _, err := a.environments.ResumeEnvironment(t.Context(), &pb.ResumeEnvironmentRequest{All: true}); err != nil {
		t.Fatal(err)
	}
	resumed, err := a.environments.ResumeEnvironment(t.Context(), &pb.ResumeEnvironmentRequest{Environment: "production"})
	if err != nil || resumed.GetEnvironment().GetPause() != nil {
		t.Errorf("%v, %v", resumed, err)
	}
}

// What is in force is read from the active content, and only for who asks.
func TestConfiguration(t *testing.T) {
	a := serve(t)
	a.node.Deploy("roads")
	plain, err := a.environments.GetEnvironment(t.Context(), &pb.GetEnvironmentRequest{Name: "development"})
	if err != nil || plain.GetConfiguration() != nil {
		t.Errorf("%v, %v", plain.GetConfiguration(), err)
	}
	full, err := a.environments.GetEnvironment(t.Context(), &pb.GetEnvironmentRequest{Name: "development", IncludeConfiguration: true})
	if err != nil || full.GetConfiguration().GetDigest() != full.GetEnvironment().GetActiveDigest() {
		t.Fatalf("%v, %v", full.GetConfiguration(), err)
	}
	for _, s := range full.GetConfiguration().GetSettings() {
		if s.GetName() == "Ogc.MaxLimit" && (s.GetValueJson() != "10000" || s.GetOrigin() != "default" || s.GetSource() != "") {
			t.Errorf("%v", s)
		}
	}
	nothing, err := a.environments.GetEnvironment(t.Context(), &pb.GetEnvironmentRequest{Name: "production", IncludeConfiguration: true})
	if err != nil || nothing.GetConfiguration() != nil {
		t.Errorf("%v, %v", nothing.GetConfiguration(), err)
	}
}

// All members are asked; who does not answer is in the answer with the reason.
func TestCheckDrift(t *testing.T) {
	a := serve(t, func(c *Config) {
		c.Nodes = inspected{"n1": {NodeId: "n1"}, "n2": {NodeId: "n2"}}
	})
	a.node.status.Servers = []RaftServer{{ID: "n3"}, {ID: "n2"}, {ID: "n1"}}
	a.node.Deploy("roads")
	answer, err := a.environments.CheckDrift(t.Context(), &pb.CheckDriftRequest{Environment: "development"})
	if err != nil {
		t.Fatal(err)
	}
	nodes := answer.GetNodes()
	if len(nodes) != 3 || nodes[0].GetNodeId() != "n1" || nodes[0].GetDigest() != "d-development" || nodes[0].GetFindings()[0].GetObject() != "roads" {
		t.Errorf("%v", nodes)
	}
	if nodes[2].GetNodeId() != "n3" || nodes[2].GetError() != "connection refused" || answer.GetEnvironment().GetName() != "development" {
		t.Errorf("%v", answer)
	}
	if _, err := a.environments.CheckDrift(t.Context(), &pb.CheckDriftRequest{Environment: "nowhere"}); err == nil {
		t.Error("drift of an environment that does not exist")
	}
}
