package node

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/internal/durable"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/geojson"
)

const (
	labEnvironment = "my-env"
	within         = 10 * time.Second
)

// lab is one node half over a real state machine, registry and disk.
type lab struct {
	t       *testing.T
	dir     string
	store   *fsm.Store
	index   uint64
	commits int
	// focus is the environment that is deployed to.
	focus    string
	disk     durable.FS
	registry *registry.Registry
	caughtUp atomic.Bool
}

func newLab(t *testing.T) *lab {
	t.Helper()
	return newLabOf(t, labEnvironment)
}

// newLabOf is a lab with these environments, the first of which is in focus.
func newLabOf(t *testing.T, environments ...string) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), store: fsm.NewStore(fsm.New()), focus: environments[0], disk: durable.Disk{}}
	l.caughtUp.Store(true)
	points := `{"type":"FeatureCollection","features":[{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"name":"a"}}]}`
	if err := os.MkdirAll(filepath.Join(l.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "data", "points.geojson"), []byte(points), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := &pb.SettingsValue{}
	for _, name := range environments {
		settings.Environments = append(settings.Environments, &pb.EnvironmentValue{Name: name, Branch: "main", Policy: &pb.PolicyValue{Canonical: []byte("{}")}})
	}
	l.lead(&pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{ClusterId: "c", Settings: settings}}})
	l.lead(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{NodeId: "n1", Incarnation: "i1", Voter: true}}})
	return l
}

// lead applies a leader's command, which must not be refused.
func (l *lab) lead(payload *pb.Payload) fsm.Result {
	l.t.Helper()
	l.index++
	data, err := fsm.Encode(fsm.Header{Term: 1, Proposer: "n1", ProposedAt: time.Now().UnixMilli()}, payload)
	if err != nil {
		l.t.Fatal(err)
	}
	result, err := l.store.Apply(fsm.Entry{Index: l.index, Term: 1, Data: data})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return result
}

func (l *lab) environment() *fsm.Environment { return l.store.State().Environment(l.focus) }

// begin uploads a content with the given layers and takes it to staging.
func (l *lab) begin(file string, layers ...string) {
	l.t.Helper()
	metadata := `{"services":[{"id":"s","title":"s","layers":[`
	for i, id := range layers {
		if i > 0 {
			metadata += ","
		}
		metadata += `{"id":"` + id + `","title":"` + id + `","datasource":"files","geometryType":"Point","srid":4326,"properties":[{"name":"name","type":"string"}]}`
	}
	encoded, digest, err := content.Encode(content.Content{Files: []catalog.File{
		{Path: catalog.DataSourcesPath(l.focus), Content: []byte(`{"datasources":[{"id":"files","type":"GeoJSON","connectionString":"` + file + `"}]}`)},
		{Path: catalog.MetadataPath(l.focus), Content: []byte(metadata + `]}]}`)},
	}})
	if err != nil {
		l.t.Fatal(err)
	}
	l.commits++
	commit := string(rune('a' + l.commits))
	l.lead(&pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
		UploadId: commit, Digest: digest, Total: 1, RawSize: int64(len(encoded)), Data: bundle.Compress(encoded),
	}}})
	created := l.lead(&pb.Payload{Command: &pb.Payload_CreateDeployment{CreateDeployment: &pb.CreateDeployment{
		Environment: l.focus, ExpectedSequence: l.environment().Sequence, IdStem: l.focus + "-20260102-030405",
		Commit: commit, Digest: digest, Branch: "main",
	}}})
	l.lead(&pb.Payload{Command: &pb.Payload_BeginStaging{BeginStaging: &pb.BeginStaging{
		Environment: l.focus, ExpectedSequence: l.environment().Sequence, DeploymentId: created.DeploymentID,
		Participants: []*pb.ParticipantValue{{NodeId: "n1", Incarnation: "i1"}}, Voters: []string{"n1"},
	}}})
}

// question is what the leader asks about the operation under way.
func (l *lab) question() *pb.StageRequest {
	op := l.environment().Operation
	return &pb.StageRequest{Environment: l.focus, DeploymentId: op.TargetID, Digest: op.Digest, Operation: op.ID, Index: l.index}
}

// activate records that the node staged, and activates.
func (l *lab) activate() {
	l.t.Helper()
	op := l.environment().Operation
	l.lead(&pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: &pb.RecordStaging{
		Environment: l.focus, ExpectedSequence: l.environment().Sequence, Operation: op.ID,
		Answers: []*pb.AnswerValue{{NodeId: "n1", Incarnation: "i1", Accepted: true}},
	}}})
	l.lead(&pb.Payload{Command: &pb.Payload_Activate{Activate: &pb.Activate{
		Environment: l.focus, ExpectedSequence: l.environment().Sequence, Operation: op.ID, Voters: []string{"n1"},
	}}})
}

// deploy deploys cities as the first deployment, which n serves and which completes.
func (l *lab) deploy(n *Node) {
	l.t.Helper()
	l.begin("points.geojson", "cities")
	l.activate()
	l.awaitServing(n, 1)
	l.finish()
}

// finish closes the operation: the node serves it.
func (l *lab) finish() {
	l.t.Helper()
	op := l.environment().Operation
	l.lead(&pb.Payload{Command: &pb.Payload_FinishDeployment{FinishDeployment: &pb.FinishDeployment{
		Environment: l.focus, ExpectedSequence: l.environment().Sequence, Operation: op.ID,
		Answers: []*pb.AnswerValue{{NodeId: "n1", Incarnation: "i1", Accepted: true}},
	}}})
}

// open makes the node of one process life, with an empty registry.
func (l *lab) open() *Node {
	l.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	files, err := geojson.New(geojson.Config{DataDirectory: filepath.Join(l.dir, "data"), Logger: logger})
	if err != nil {
		l.t.Fatal(err)
	}
	l.registry, err = registry.New(registry.Config{
		Drivers:   map[string]registry.Driver{catalog.TypeGeoJSON: files},
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Logger: logger,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	n, err := Open(l.t.Context(), Config{
		NodeID: "n1", Incarnation: "i1", DataDirectory: filepath.Join(l.dir, "node"),
		StateDirectory: filepath.Join(l.dir, "state"), ApprovalDirectory: filepath.Join(l.dir, "approvals"),
		Files: l.disk, Store: l.store, Registry: l.registry, CaughtUp: l.caughtUp.Load,
		Settings: func() (string, []byte) { return "settings", nil }, Now: time.Now, Logger: logger,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

// run lets the node follow until stop is called.
func (l *lab) run(n *Node) (stop func()) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	return func() {
		l.t.Helper()
		cancel()
		if err := <-done; err != nil {
			l.t.Error(err)
		}
		if err := n.Close(); err != nil {
			l.t.Error(err)
		}
	}
}

// awaitServing waits until the node serves an activation.
func (l *lab) awaitServing(n *Node, index uint64) {
	l.t.Helper()
	deadline := time.After(within)
	for {
		s, _, advanced := n.served(l.focus)
		if s.ActivationIndex == index && s.problem == "" {
			return
		}
		select {
		case <-advanced:
		case <-deadline:
			l.t.Fatalf("the node serves %+v after %v, not activation %d", s, within, index)
		}
	}
}

// phases are the journal's lines as phase and activation index.
func (l *lab) phases() []string {
	l.t.Helper()
	content, err := os.ReadFile(filepath.Join(l.dir, "node", "journal.jsonl"))
	if err != nil {
		l.t.Fatal(err)
	}
	return journalPhases(l.t, content)
}
