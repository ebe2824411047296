package admin

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// fileValue is what a node's file may say.
func fileValue() *pb.SettingsValue {
	return &pb.SettingsValue{
		RepositoryUrl: "https://git.example.org/config.git", PollIntervalMs: 30_000, HistoryLimit: 100, MaxFileBytes: 1 << 20,
		MaxBundleBytes: 2 << 20, MaxFiles: 10, FetchTimeoutMs: 1000, FetchMemoryBytes: 64 << 20, Identities: map[string]string{"Ada": "ada"},
		Environments: []*pb.EnvironmentValue{{
			Name: "production", Branch: "main", Policy: &pb.PolicyValue{Canonical: []byte(`{"minimumApprovers":1,"forcePush":"approve"}`)},
			Verification: &pb.VerificationValue{Mode: "required"},
		}},
	}
}

// inForce puts what a file says in force.
func inForce(t *testing.T, file *pb.SettingsValue) *fsm.Settings {
	t.Helper()
	n := admintest.New(t)
	n.Lead(&pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{Settings: file}}})
	return n.Store().State().Settings()
}

// Whatever a file says that is not in force is named by its key, and what it holds is not.
func TestDifferingSettings(t *testing.T) {
	state := inForce(t, fileValue())
	tests := map[string]func(*pb.SettingsValue){
		"": func(v *pb.SettingsValue) { v.Identities = map[string]string{"ADA": "ada"} }, // in force it is in lower case
		"GitOps.Identities.ada GitOps.Identities.grace": func(v *pb.SettingsValue) { v.Identities = map[string]string{"Grace": "grace"} },
		"GitOps.RepositoryUrl":                          func(v *pb.SettingsValue) { v.RepositoryUrl = "https://other.example.org" },
		"GitOps.Environments.production.Branch":         func(v *pb.SettingsValue) { v.Environments[0].Branch = "live" },
		"GitOps.Environments.staging": func(v *pb.SettingsValue) {
			v.Environments = append(v.Environments, &pb.EnvironmentValue{Name: "staging"})
		},
		"GitOps.Environments.production": func(v *pb.SettingsValue) { v.Environments = nil },
		"GitOps.DeploymentPolicies.production.MinimumApprovers": func(v *pb.SettingsValue) {
			v.Environments[0].Policy.Canonical = []byte(`{"minimumApprovers":2,"forcePush":"approve"}`)
		},
		"GitOps.Verifications.production.Commits": func(v *pb.SettingsValue) { v.Environments[0].Verification.EveryCommit = true },
	}
	for want, alter := range tests {
		file := fileValue()
		alter(file)
		if got := strings.Join(DifferingSettings(state, file), " "); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if keys := DifferingSettings(nil, fileValue()); keys != nil {
		t.Errorf("before there are settings: %v", keys)
	}
}

// No field of the settings is left out of the comparison.
func TestDifferingSettingsLookAtEveryField(t *testing.T) {
	state := inForce(t, fileValue())
	fields := (&pb.SettingsValue{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		file := fileValue()
		message := file.ProtoReflect()
		if fields.Get(i).Kind() == protoreflect.BoolKind {
			message.Set(fields.Get(i), protoreflect.ValueOfBool(true))
		} else {
			message.Clear(fields.Get(i))
		}
		if len(DifferingSettings(state, file)) == 0 {
			t.Errorf("%s is not compared", fields.Get(i).Name())
		}
	}
}

// A node whose file differs is unwell and says in what; one that an admin has overruled is well, and says so too.
func TestNoticesOfASettingsFile(t *testing.T) {
	n := admintest.New(t)
	n.Lead(&pb.Payload{Command: &pb.Payload_SetSettings{SetSettings: &pb.SetSettings{Settings: fileValue()}}})
	state := n.Store().State()
	slower := fileValue()
	slower.PollIntervalMs = 60_000
	const key = "GitOps.Watcher.PollIntervalSeconds"
	for _, tt := range []struct {
		name, digest string
		file         *pb.SettingsValue
		notice       bool
		overruled    []string
	}{
		{"the file in force", "d1", fileValue(), false, nil},
		{"the same in other words", "d2", fileValue(), false, nil},
		{"another file", "d2", slower, true, nil},
		{"overruled", "d1", slower, false, []string{key}},
	} {
		encoded, err := proto.Marshal(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		v := serverView{
			member: RaftServer{ID: "n1"}, state: state, node: &fsm.Node{ID: "n1", Available: true, SettingsDigest: tt.digest},
			asked: true, answer: &pb.GetNodeStatusResponse{SettingsDigest: tt.digest, Settings: encoded},
		}
		m := v.message()
		said := strings.Contains(strings.Join(m.GetNotices(), "; "), "in "+key+": make the files equal")
		if said != tt.notice || m.GetHealthy() == tt.notice || !slices.Equal(m.GetOverruledKeys(), tt.overruled) {
			t.Errorf("%s: %v", tt.name, m)
		}
	}
}
