package main

import (
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestSyncOutcome(t *testing.T) {
	deployment := func(commit string, state pb.DeploymentState) *pb.Deployment {
		return &pb.Deployment{Id: "d", Commit: commit, State: state}
	}
	waiting := func(commit, code, words string) *pb.Deployment {
		d := deployment(commit, pb.DeploymentState_DEPLOYMENT_STATE_PENDING)
		d.WaitingCode, d.WaitingFor = code, words
		return d
	}
	tests := []struct {
		name   string
		e      *pb.Environment
		polled uint64
		want   syncResult
	}{
		{"the poll is not done", &pb.Environment{DeployedCommit: "a", LatestCommit: "a"}, 1, syncRunning},
		{"nothing new", &pb.Environment{DeployedCommit: "a", LatestCommit: "a"}, 2, syncDone},
		{"the same content", &pb.Environment{DeployedCommit: "a", SyncedCommit: "b", LatestCommit: "b"}, 2, syncDone},
		{"seen, and not created yet", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b",
			CurrentDeployment: deployment("a", pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED),
		}, 2, syncRunning},
		{"applying", &pb.Environment{
			DeployedCommit: "b", LatestCommit: "b",
			CurrentDeployment: deployment("b", pb.DeploymentState_DEPLOYMENT_STATE_APPLYING),
		}, 2, syncRunning},
		{"completed", &pb.Environment{
			DeployedCommit: "b", LatestCommit: "b",
			CurrentDeployment: deployment("b", pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED),
		}, 3, syncDone},
		{"awaiting approval", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b",
			CurrentDeployment: deployment("b", pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL),
		}, 2, syncAwaiting},
		{"pending", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b",
			CurrentDeployment: deployment("b", pb.DeploymentState_DEPLOYMENT_STATE_PENDING),
		}, 2, syncRunning},
		{"its turn", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b",
			CurrentDeployment: waiting("b", "turn", "the deploy of d-a comes first"),
		}, 2, syncRunning},
		{"paused", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b", Pause: &pb.Pause{Reason: "census"},
			CurrentDeployment: waiting("b", "paused", "production is paused by ann: census"),
		}, 2, syncWaiting},
		{"outside its window", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b",
			CurrentDeployment: waiting("b", "window", "its window opens at 2026-11-23T06:00:00Z"),
		}, 2, syncWaiting},
		{"failed", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b",
			CurrentDeployment: deployment("b", pb.DeploymentState_DEPLOYMENT_STATE_FAILED),
		}, 2, syncFailed},
		{"failed after it was activated", &pb.Environment{
			DeployedCommit: "b", LatestCommit: "b",
			CurrentDeployment: deployment("b", pb.DeploymentState_DEPLOYMENT_STATE_FAILED),
		}, 2, syncFailed},
		{"held", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b", Holds: []*pb.Hold{{Commit: "b", Reason: "rejected"}},
			CurrentDeployment: deployment("a", pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED),
		}, 2, syncHeld},
		{"rolled back", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b",
			CurrentDeployment: deployment("b", pb.DeploymentState_DEPLOYMENT_STATE_ROLLED_BACK),
		}, 2, syncHeld},
		{"another content is on its way", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "a", Operation: &pb.Operation{Kind: "rollback", DeploymentId: "d"},
		}, 2, syncRunning},
		{"a rollback waits for an approval", &pb.Environment{
			DeployedCommit: "a", LatestCommit: "b", Operation: &pb.Operation{Kind: "rollback", DeploymentId: "d", AwaitingApproval: true},
		}, 2, syncAwaiting},
		{"the repository is away", &pb.Environment{DeployedCommit: "a", LatestCommit: "a", PollError: "gone"}, 2, syncUnread},
	}
	for _, test := range tests {
		if got, text := syncOutcome(test.e, test.polled, 2); got != test.want || text == "" {
			t.Errorf("%s: %v, %q", test.name, got, text)
		}
	}
}

func TestNothingMoves(t *testing.T) {
	holds := []*pb.Hold{{Commit: "a", Reason: "rolled_back"}}
	pending := &pb.Deployment{State: pb.DeploymentState_DEPLOYMENT_STATE_PENDING}
	tests := []struct {
		name   string
		e      *pb.Environment
		polled bool
		want   bool
	}{
		{"another commit has the held content", &pb.Environment{LatestCommit: "b", Holds: holds}, true, true},
		{"the poll is not done", &pb.Environment{LatestCommit: "b", Holds: holds}, false, false},
		{"nothing is held", &pb.Environment{LatestCommit: "b"}, true, false},
		{"an operation", &pb.Environment{LatestCommit: "b", Holds: holds, Operation: &pb.Operation{}}, true, false},
		{"a deployment waits", &pb.Environment{LatestCommit: "b", Holds: holds, CurrentDeployment: pending}, true, false},
	}
	for _, test := range tests {
		if got := nothingMoves(test.e, test.polled); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestRolledBack(t *testing.T) {
	answer := &pb.RollbackDeploymentResponse{OperationId: 7, TargetId: "t", Deployment: &pb.Deployment{Id: "d"}}
	tests := []struct {
		name  string
		e     *pb.Environment
		done  bool
		fails bool
	}{
		{"seen before it began", &pb.Environment{LastOutcome: &pb.Outcome{OperationId: 3, Ok: true}}, false, false},
		{"on its way", &pb.Environment{Operation: &pb.Operation{Id: 7}}, false, false},
		{"gated", &pb.Environment{Operation: &pb.Operation{Id: 7, AwaitingApproval: true}}, true, true},
		{"served", &pb.Environment{LastOutcome: &pb.Outcome{OperationId: 7, Ok: true}}, true, false},
		{"refused by a node", &pb.Environment{LastOutcome: &pb.Outcome{OperationId: 7, Message: "staging was rejected"}}, true, true},
		{"something else since", &pb.Environment{LastOutcome: &pb.Outcome{OperationId: 9, Ok: true}}, true, false},
	}
	for _, test := range tests {
		if done, err := rolledBack(test.e, answer); done != test.done || (err != nil) != test.fails {
			t.Errorf("%s: %v, %v", test.name, done, err)
		}
	}
}

func TestSync(t *testing.T) {
	api := sampleAPI()
	held := &pb.Environment{
		Name: "development", DeployedCommit: commitA, LatestCommit: commitB, Holds: []*pb.Hold{{Commit: commitB, Reason: "rejected by bob"}},
	}
	failed := &pb.Environment{Name: "development", DeployedCommit: commitA, LatestCommit: commitB, CurrentDeployment: sampleDeployments()[2]}
	awaiting := &pb.Environment{Name: "production", DeployedCommit: commitA, LatestCommit: commitB, CurrentDeployment: sampleDeployments()[0]}
	synced := &pb.Environment{Name: "development", DeployedCommit: commitB, LatestCommit: commitB}
	disguised := &pb.Environment{
		Name: "development", DeployedCommit: commitA, LatestCommit: commitB, Holds: []*pb.Hold{{Commit: "0123456789", Reason: "rolled_back"}},
	}
	tests := []struct {
		name string
		last *pb.Environment
		args string
		code int
		says string
	}{
		{"synced", synced, "", exitDone, "development serves abc789b"},
		{"awaiting", awaiting, "", exitDone, "honua deployment approve production-20261121-143022"},
		{"awaiting with exit code", awaiting, "--exit-code", exitPending, "awaits approval"},
		{"failed", failed, "", exitError, "metadata.json:3:5"},
		{"held", held, "", exitError, "--lift-hold"},
		{"held under another commit's name", disguised, "", exitError, "0123456 (rolled_back)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api.watched = []*pb.WatchEnvironmentsResponse{
				{Index: 40, Environment: &pb.Environment{Name: "development"}, PollGeneration: 1},
				{Index: 43, Environment: test.last, PollGeneration: 2},
			}
			args := append(strings.Fields("environment sync development "+test.args), "--address", api.serve(t))
			got := honua(t, args...)
			if got.code != test.code || !strings.Contains(got.out+got.err, test.says) {
				t.Errorf("exit code %d\n%s%s", got.code, got.out, got.err)
			}
		})
	}
}

func TestWait(t *testing.T) {
	api := sampleAPI()
	api.watched = []*pb.WatchEnvironmentsResponse{{Index: 40, Environment: &pb.Environment{Name: "production", DeployedCommit: commitA}}}
	address := api.serve(t)
	tests := []struct {
		commit string
		code   int
	}{
		{"def456a", exitDone},
		{"DEF456A", exitDone},
		{commitA, exitDone},
		{"abc789b", exitTimeout},
		{"abc", exitError},
		{"not-hex", exitError},
	}
	for _, test := range tests {
		got := honua(t, "environment", "wait", "production", "--commit", test.commit, "--timeout", "200ms", "--address", address)
		if got.code != test.code {
			t.Errorf("%s: exit code %d\n%s", test.commit, got.code, got.err)
		}
	}
}

// What changes something waits for its outcome and shows how it goes on.
func TestApproveWaits(t *testing.T) {
	step := func(state pb.DeploymentState, phase pb.DeploymentPhase, nodes ...*pb.NodeProgress) *pb.Deployment {
		return &pb.Deployment{Id: "d", State: state, Phase: phase, Nodes: nodes}
	}
	applying := pb.DeploymentState_DEPLOYMENT_STATE_APPLYING
	api := &fakeAPI{
		approve: func(*pb.ApproveDeploymentRequest) (*pb.ApproveDeploymentResponse, error) {
			return &pb.ApproveDeploymentResponse{Deployment: step(pb.DeploymentState_DEPLOYMENT_STATE_PENDING, 0), AppliedIndex: 40}, nil
		},
		followed: []*pb.WatchDeploymentsResponse{
			{Index: 41, Deployment: step(applying, pb.DeploymentPhase_DEPLOYMENT_PHASE_STAGING, &pb.NodeProgress{NodeId: "node1", Staged: true})},
			{Index: 42, Deployment: step(pb.DeploymentState_DEPLOYMENT_STATE_COMPLETED, 0, &pb.NodeProgress{NodeId: "node1", Staged: true, Verified: true})},
		},
	}
	address := api.serve(t)
	got := honua(t, "deployment", "approve", "d", "--address", address)
	if got.code != exitDone || got.out != "d: Completed\n" {
		t.Errorf("exit code %d, %q", got.code, got.out)
	}
	for _, text := range []string{"Applying / Staging;   node1 staged", "Completed;   node1 verified"} {
		if !strings.Contains(got.err, text) {
			t.Errorf("%q does not show %q", got.err, text)
		}
	}
	if got := honua(t, "deployment", "approve", "d", "--async", "--address", address); got.out != "d: Pending\n" || got.err != "" {
		t.Errorf("--async waited: %q %q", got.out, got.err)
	}
}

func TestRemoveOfAVoterAsks(t *testing.T) {
	api := sampleAPI()
	removed := 0
	api.remove = func(*pb.RemoveServerRequest) (*pb.RemoveServerResponse, error) {
		removed++
		return &pb.RemoveServerResponse{AppliedIndex: 50}, nil
	}
	address := api.serve(t)
	tests := []struct {
		name, input string
		args        []string
		code        int
		asks        bool
	}{
		{"no answer", "", []string{"node2"}, exitError, true},
		{"no", "no\n", []string{"node2"}, exitError, true},
		{"yes", "yes\n", []string{"node2"}, exitDone, true},
		{"--yes", "", []string{"node2", "--yes"}, exitDone, false},
		{"a learner", "", []string{"node3"}, exitDone, false},
	}
	for _, test := range tests {
		before := removed
		got := honuaWith(t.Context(), t, test.input, append([]string{"cluster", "remove", "--address", address}, test.args...)...)
		if got.code != test.code || (removed > before) != (test.code == exitDone) {
			t.Errorf("%s: exit code %d, removed %d\n%s", test.name, got.code, removed-before, got.err)
		}
		if strings.Contains(got.err, "Remove the voter") != test.asks {
			t.Errorf("%s: %q", test.name, got.err)
		}
	}
}
