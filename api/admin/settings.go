package admin

import (
	"context"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// settings is the SettingsService.
type settings struct {
	pb.UnimplementedSettingsServiceServer
	*core
}

// GetSettings returns what is in force.
func (s *settings) GetSettings(ctx context.Context, r *pb.GetSettingsRequest) (*pb.GetSettingsResponse, error) {
	if err := s.permit(ctx, "", Viewer); err != nil {
		return nil, err
	}
	state, err := s.read(ctx, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	inForce := state.Settings()
	if inForce == nil {
		return nil, &problem{failure: NoQuorum, reason: "not_initialised", message: "the cluster has no settings yet: it is being founded"}
	}
	return &pb.GetSettingsResponse{Settings: settingsMessage(inForce), FileDigest: inForce.FileDigest, AppliedIndex: state.Index()}, nil
}

// ApplySettings puts settings in the place of those in force.
func (s *settings) ApplySettings(ctx context.Context, r *pb.ApplySettingsRequest) (*pb.ApplySettingsResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.text("reason", r.GetReason())
	value := c.settings(r.GetSettings())
	if err := c.err(); err != nil {
		return nil, err
	}
	_, state, err := s.execute(ctx, change{
		requestID: r.GetRequestId(), actor: r.GetActor(), least: Admin,
		payload: &pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{Settings: value, Reason: r.GetReason()}}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.ApplySettingsResponse{Settings: settingsMessage(state.Settings()), AppliedIndex: state.Index()}, nil
}

func settingsMessage(s *fsm.Settings) *pb.Settings {
	m := &pb.Settings{
		RepositoryUrl: s.RepositoryURL, PollInterval: spanMessage(s.PollInterval), HistoryLimit: s.HistoryLimit, DryRun: s.DryRun,
		MaxFileBytes: s.MaxFileBytes, MaxBundleBytes: s.MaxBundleBytes, MaxFiles: s.MaxFiles,
		FetchTimeout: spanMessage(s.FetchTimeout), FetchMemoryBytes: s.FetchMemoryBytes, Identities: s.Identities,
	}
	for _, e := range s.Environments {
		m.Environments = append(m.Environments, environmentSettingsMessage(e))
	}
	return m
}

func environmentSettingsMessage(e fsm.EnvironmentSettings) *pb.EnvironmentSettings {
	m := &pb.EnvironmentSettings{
		Name: e.Name, Branch: e.Branch, VerificationMode: e.Verification.Mode, VerifyEveryCommit: e.Verification.EveryCommit,
	}
	if m.VerificationMode == "" {
		m.VerificationMode = "none"
	}
	if e.Policy != nil {
		m.PolicyJson = string(e.Policy.Canonical)
	}
	return m
}
