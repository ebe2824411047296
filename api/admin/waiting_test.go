package admin

import (
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

func TestWaitingForAWindow(t *testing.T) {
	zurich := "Europe/Zurich"
	hours := policy.Window{Days: []time.Weekday{time.Monday}, Start: 8 * 60, End: 16 * 60, TimeZone: zurich}
	census := hours
	census.Blackouts = []policy.Blackout{{
		From: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Reason: "census",
	}}
	sunday := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name   string
		window policy.Window
		at     time.Time
		words  string
		closed bool
	}{
		{"no window", policy.Window{}, sunday, "", false},
		{"open", hours, sunday.Add(24 * time.Hour), "", false},
		{"closed", hours, sunday, "its window opens at 2026-11-23T07:00:00Z", true},
		{"blackout", census, sunday, "blackout (census); its window opens at 2026-11-30T07:00:00Z", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := policy.Default("staging")
			p.Window = test.window
			canonical, err := p.Normalise()
			if err != nil {
				t.Fatal(err)
			}
			w, closed := windowOf(&fsm.Policy{Canonical: canonical}, test.at.UnixMilli())
			if closed != test.closed || w.words != test.words {
				t.Errorf("closed %v: %q", closed, w.words)
			}
			if closed && (w.code != "window" || w.until == 0) {
				t.Errorf("%+v", w)
			}
		})
	}
	if w, closed := windowOf(&fsm.Policy{Canonical: []byte("not a policy")}, 0); !closed || w.until != 0 {
		t.Errorf("a window that cannot be read is open: %+v", w)
	}
}

func TestWaitingForResumption(t *testing.T) {
	a := serve(t)
	id := a.node.Create("development", "roads")
	until := epoch.Add(time.Hour)
	a.node.Call(&pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{All: true, Reason: "audit"}}})
	want := func(code, words string) {
		t.Helper()
		d := a.node.Store().State().Deployment(id)
		m := deploymentMessage(a.node.Store().State(), d)
		if m.GetWaitingCode() != code || m.GetWaitingFor() != words {
			t.Errorf("waits for %s: %q", m.GetWaitingCode(), m.GetWaitingFor())
		}
	}
	want("frozen", "the cluster is frozen by grace: audit")
	a.node.Call(&pb.Payload{Command: &pb.Payload_Pause{Pause: &pb.PauseCommand{Environment: "development", Reason: "census", UntilMs: until.UnixMilli()}}})
	want("paused", "development is paused by grace until "+until.Format(time.RFC3339)+": census")
}

func TestPlanOfTheHead(t *testing.T) {
	a := serve(t)
	id := a.node.Deploy("roads")
	answer, err := a.deployments.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{Environment: "development"})
	if err != nil {
		t.Fatal(err)
	}
	p := answer.GetPlan()
	if answer.GetDeployment() != nil || len(p.GetAdded())+len(p.GetModified())+len(p.GetRemoved()) > 0 || p.GetFromCommit() != p.GetToCommit() {
		t.Errorf("the head is deployed, and the plan is %v", answer)
	}
	next := a.node.Create("development", "rivers")
	answer, err = a.deployments.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{Environment: "development"})
	if err != nil || answer.GetDeployment().GetId() != next {
		t.Errorf("the plan of what waits: %v, %v", answer, err)
	}
	answer, err = a.deployments.PlanDeployment(t.Context(), &pb.PlanDeploymentRequest{Id: id})
	if err != nil || answer.GetDeployment().GetId() != id {
		t.Errorf("the plan of a deployment: %v, %v", answer, err)
	}
}
