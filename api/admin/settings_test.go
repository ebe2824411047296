package admin

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// someSettings are settings that may be applied.
func someSettings() *pb.Settings {
	return &pb.Settings{
		RepositoryUrl: "https://git.example.org/config.git", PollInterval: durationpb.New(time.Minute), HistoryLimit: 100,
		MaxFileBytes: 1 << 20, MaxBundleBytes: 2 << 20, MaxFiles: 10, FetchTimeout: durationpb.New(time.Minute), FetchMemoryBytes: 64 << 20,
		Environments: []*pb.EnvironmentSettings{
			{Name: "production", Branch: "main", PolicyJson: `{"minimumApprovers": 2}`, VerificationMode: "required"},
			{Name: "development", Branch: "next"},
		},
	}
}

func TestSettingsAreAppliedAsOneDecision(t *testing.T) {
	a := serve(t)
	client := pb.NewSettingsServiceClient(a.conn)
	request := &pb.ApplySettingsRequest{RequestId: "settings-1", Settings: someSettings(), Reason: "fewer polls", Actor: "grace"}
	for range 2 { // the repeated request changes nothing more (I3)
		if _, err := client.ApplySettings(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := client.GetSettings(t.Context(), &pb.GetSettingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	got := answer.GetSettings()
	if got.GetPollInterval().AsDuration() != time.Minute || len(got.GetEnvironments()) != 2 {
		t.Fatalf("%v", got)
	}
	production := got.GetEnvironments()[1]
	if production.GetName() != "production" || production.GetVerificationMode() != "required" ||
		!strings.Contains(production.GetPolicyJson(), `"minimumApprovers":2`) || !strings.Contains(production.GetPolicyJson(), `"requiresApproval":true`) {
		t.Errorf("the policy is not what was said over the defaults of its name: %v", production)
	}
	if mode := got.GetEnvironments()[0].GetVerificationMode(); mode != "none" {
		t.Errorf("verification %q where none was asked for", mode)
	}
	policy := a.node.Store().State().Settings().Environment("production").Policy
	if policy.MinimumApprovers != 2 || !policy.RequiresApproval {
		t.Errorf("the state machine decides by %+v", policy)
	}
	// What is read can be applied as it is, and means the same.
	if _, err := client.ApplySettings(t.Context(), &pb.ApplySettingsRequest{Settings: got}); err != nil {
		t.Fatal(err)
	}
	again, err := client.GetSettings(t.Context(), &pb.GetSettingsRequest{})
	if err != nil || !proto.Equal(again.GetSettings(), got) {
		t.Fatalf("%v, %v", again, err)
	}
	audits := 0
	for record := range a.node.Store().State().Audit(0) {
		if record.Action == "settings.set" {
			audits++
		}
	}
	if audits != 2 {
		t.Errorf("I16: %d records of two changes", audits)
	}
}

func TestSettingsThatAreWrongAreNamed(t *testing.T) {
	a := serve(t)
	client := pb.NewSettingsServiceClient(a.conn)
	before := a.node.Store().State().Settings()
	for _, row := range []struct {
		field string
		spoil func(*pb.Settings)
	}{
		{"settings.repository_url", func(s *pb.Settings) { s.RepositoryUrl = "" }},
		{"settings.repository_url", func(s *pb.Settings) { s.RepositoryUrl = "https://u:secret-word@git.example.org/c.git" }},
		{"settings.repository_url", func(s *pb.Settings) { s.RepositoryUrl = "https://secret-word@git.example.org/c.git" }},
		{"settings.poll_interval", func(s *pb.Settings) { s.PollInterval = nil }},
		{"settings.poll_interval", func(s *pb.Settings) { s.PollInterval = durationpb.New(25 * time.Hour) }},
		{"settings.history_limit", func(s *pb.Settings) { s.HistoryLimit = 0 }},
		{"settings.max_files", func(s *pb.Settings) { s.MaxFiles = 0 }},
		{"settings.max_file_bytes", func(s *pb.Settings) { s.MaxFileBytes = -1 }},
		{"settings.max_bundle_bytes", func(s *pb.Settings) { s.MaxBundleBytes = 1<<40 + 1 }},
		{"settings.fetch_timeout", func(s *pb.Settings) { s.FetchTimeout = durationpb.New(time.Millisecond) }},
		{"settings.fetch_memory_bytes", func(s *pb.Settings) { s.FetchMemoryBytes = 1 }},
		{"settings.identities", func(s *pb.Settings) { s.Identities = map[string]string{"ann@example.org": ""} }},
		{"settings.environments[0].branch", func(s *pb.Settings) { s.Environments[0].Branch = "" }},
		{"settings.environments[0].policy_json", func(s *pb.Settings) { s.Environments[0].PolicyJson = `{"minimumApprovers": 0}` }},
		{"settings.environments[0].policy_json", func(s *pb.Settings) { s.Environments[0].PolicyJson = `{"unheardOf": 1}` }},
		{"settings.environments[0].policy_json", func(s *pb.Settings) { s.Environments[0].PolicyJson = strings.Repeat(" ", maxPolicyDocument+1) }},
		{"verification", func(s *pb.Settings) { s.Environments[0].VerificationMode = "sometimes" }},
		{"environment name", func(s *pb.Settings) { s.Environments[0].Name = "a/b" }},
		{"name no environment", func(s *pb.Settings) { s.Environments = nil }},
	} {
		s := someSettings()
		row.spoil(s)
		_, err := client.ApplySettings(t.Context(), &pb.ApplySettingsRequest{Settings: s})
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), row.field) {
			t.Errorf("%s: %v", row.field, err)
		}
		if strings.Contains(status.Convert(err).Message(), "secret-word") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	if after := a.node.Store().State().Settings(); after != before {
		t.Errorf("refused settings are in force: %+v", after)
	}
}
