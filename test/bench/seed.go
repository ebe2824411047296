package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
)

// seed makes a state by the commands that would have led to it, and puts it into the data directories of a cluster
// that was never started, as a snapshot.
type seed struct {
	environments, deployments int
	// contents is how many each environment takes turns with; contentBytes is the size of one, compressed.
	contents, contentBytes int
	// cluster is the folder of the cluster, missing one that does not exist.
	cluster, missing string
	// snapshot is a file with the state.
	snapshot string

	state *fsm.State
	now   int64
	nodes []*node
}

// seedTerm is the term in which everything happened.
const seedTerm = 1

func (s *seed) plant(program string) (*running, error) {
	var names []string
	for i := range s.environments {
		names = append(names, environmentName(i))
	}
	cluster, err := newCluster(program, plan{
		dir: s.cluster, repository: "file://" + s.missing, environments: names, pollSeconds: neverSeconds, historyLimit: s.deployments,
	})
	if err != nil {
		return nil, err
	}
	s.nodes, s.state = cluster.nodes, fsm.New()
	s.now = time.Now().Add(-24 * time.Hour).UnixMilli()
	if err := s.found(names); err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := s.live(name); err != nil {
			return nil, err
		}
	}
	s.snapshot = filepath.Join(s.cluster, "state")
	if _, err := writeSnapshot(s.snapshot, s.state); err != nil {
		return nil, err
	}
	for _, n := range s.nodes {
		if err := s.install(n); err != nil {
			return nil, err
		}
	}
	return cluster, nil
}

// do executes a command of the leader.
func (s *seed) do(payload *pb.Payload) (fsm.Result, error) {
	s.now++
	data, err := fsm.Encode(fsm.Header{Proposer: s.nodes[0].id, Term: seedTerm, ProposedAt: s.now}, payload)
	if err != nil {
		return fsm.Result{}, err
	}
	next, result, err := fsm.Apply(s.state, fsm.Entry{Index: s.state.Index() + 1, Term: seedTerm, Data: data})
	if err != nil {
		return fsm.Result{}, err
	}
	s.state = next
	return result, result.Err()
}

// found makes the cluster and registers its nodes.
func (s *seed) found(names []string) error {
	settings := &pb.SettingsValue{
		RepositoryUrl: "file://" + s.missing, PollIntervalMs: neverSeconds * 1000, HistoryLimit: uint32(s.deployments),
		MaxFileBytes: 32 << 20, MaxBundleBytes: 64 << 20, MaxFiles: 10_000, FetchTimeoutMs: 120_000, FetchMemoryBytes: 1 << 30,
	}
	policy := &pb.PolicyValue{
		AutoRollback: true, MinimumApprovers: 1, MinimumRisk: pb.RiskValue_RISK_VALUE_CRITICAL, ApprovalTimeoutMs: 3_600_000,
		HealthCheckTimeoutMs: 60_000, StagingTimeoutMs: 60_000,
	}
	for _, name := range names {
		settings.Environments = append(settings.Environments, &pb.EnvironmentValue{Name: name, Branch: "main", Policy: policy})
	}
	_, err := s.do(&pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{
		ClusterId: "benchmark", ClusterName: "bench", Settings: settings, SettingsDigest: "seed",
	}}})
	for _, n := range s.nodes {
		if err != nil {
			return err
		}
		_, err = s.do(&pb.Payload{Command: &pb.Payload_RegisterNode{RegisterNode: &pb.RegisterNode{
			NodeId: n.id, Incarnation: n.id, RaftAddress: n.raft, GrpcAddress: n.grpc, HttpAddress: n.http, GossipAddress: n.gossip, Voter: true,
		}}})
	}
	return err
}

// live leads one environment through its deployments.
func (s *seed) live(name string) error {
	var digests []string
	for n := range s.contents {
		digest, err := s.upload(name, n)
		if err != nil {
			return err
		}
		digests = append(digests, digest)
		if err := s.deploy(name, n, digest); err != nil {
			return err
		}
	}
	for n := s.contents; n < s.deployments; n++ {
		if err := s.deploy(name, n, digests[n%s.contents]); err != nil {
			return err
		}
	}
	return nil
}

// upload brings a small catalog with a large file that nothing reads, which does not compress.
func (s *seed) upload(name string, n int) (string, error) {
	noise := make([]byte, s.contentBytes*3/4)
	random := rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, name, n)))
	_, _ = random.Read(noise) // never fails
	folder := "environments/" + name + "/"
	encoded, digest, err := content.Encode(content.Content{Files: []catalog.File{
		{Path: folder + "appsettings.json", Content: fmt.Appendf(nil, `{"Note": "%x"}`, noise)},
		{Path: folder + "datasources.json", Content: []byte(`{"datasources":[{"id":"files","type":"GeoJSON","connectionString":"cities.geojson"}]}`)},
		{Path: folder + "metadata.json", Content: fmt.Appendf(nil, `{"services":[{"id":"s","title":"S","layers":[`+layerText+`]}]}`, fmt.Sprintf("layer-%d", n))},
	}})
	if err != nil {
		return "", err
	}
	_, err = s.do(&pb.Payload{Command: &pb.Payload_UploadChunk{UploadChunk: &pb.UploadChunk{
		UploadId: digest, Digest: digest, Total: 1, RawSize: int64(len(encoded)), Data: bundle.Compress(encoded),
	}}})
	return digest, err
}

// deploy leads one deployment to its end.
func (s *seed) deploy(name string, n int, digest string) error {
	commit := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, name, "/", n)))[:40]
	voters, answers, participants := s.members()
	sequence := func() uint64 { return s.state.Environment(name).Sequence }
	operation := func() uint64 { return s.state.Environment(name).Operation.ID }
	created, err := s.do(&pb.Payload{Command: &pb.Payload_CreateDeployment{CreateDeployment: &pb.CreateDeployment{
		Environment: name, ExpectedSequence: sequence(), IdStem: name + "-" + time.UnixMilli(s.now).UTC().Format("20060102-150405"),
		Commit: commit, Digest: digest, Branch: "main", Author: "Ada Lovelace", AuthorEmail: "ada@example.com",
		Message: "Add the roads of the north\n\nAs agreed with the survey.", CommittedAtMs: s.now, ChangedFiles: 2, RelevantFiles: 1,
		Contributors: []*pb.ContributorValue{{Name: "Ada Lovelace", Email: "ada@example.com", Role: "author"}},
		Risk:         pb.RiskValue_RISK_VALUE_LOW, Plan: make([]byte, 400), EstimatedMs: 100, Services: 1,
	}}})
	steps := []func() *pb.Payload{
		func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_BeginStaging{BeginStaging: &pb.BeginStaging{
				Environment: name, ExpectedSequence: sequence(), DeploymentId: created.DeploymentID, Participants: participants, Voters: voters,
			}}}
		},
		func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_RecordStaging{RecordStaging: &pb.RecordStaging{
				Environment: name, ExpectedSequence: sequence(), Operation: operation(), Answers: answers, Services: 1,
			}}}
		},
		func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_Activate{Activate: &pb.Activate{
				Environment: name, ExpectedSequence: sequence(), Operation: operation(), Voters: voters,
			}}}
		},
		func() *pb.Payload {
			return &pb.Payload{Command: &pb.Payload_FinishDeployment{FinishDeployment: &pb.FinishDeployment{
				Environment: name, ExpectedSequence: sequence(), Operation: operation(), Answers: answers,
			}}}
		},
	}
	for _, step := range steps {
		if err != nil {
			return fmt.Errorf("deployment %d of %s: %w", n, name, err)
		}
		_, err = s.do(step())
	}
	return err
}

func (s *seed) members() (voters []string, answers []*pb.AnswerValue, participants []*pb.ParticipantValue) {
	for _, n := range s.nodes {
		voters = append(voters, n.id)
		answers = append(answers, &pb.AnswerValue{NodeId: n.id, Incarnation: n.id, Accepted: true})
		participants = append(participants, &pb.ParticipantValue{NodeId: n.id, Incarnation: n.id})
	}
	return voters, answers, participants
}

// install writes what a node finds that took part in all of this.
func (s *seed) install(n *node) error {
	dir := n.clusterDirectory()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	identity, err := json.Marshal(map[string]any{"incarnation": n.id, "clusterId": "benchmark", "started": true})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "incarnation"), identity, 0o600); err != nil {
		return err
	}
	bolt, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, "raft.db"), MsgpackUseNewTimeFormat: true})
	if err != nil {
		return err
	}
	if err := bolt.SetUint64([]byte("CurrentTerm"), seedTerm); err != nil {
		return err
	}
	if err := bolt.Close(); err != nil {
		return err
	}
	store, err := raft.NewFileSnapshotStoreWithLogger(dir, 2, hclog.NewNullLogger())
	if err != nil {
		return err
	}
	var group raft.Configuration
	for _, other := range s.nodes {
		group.Servers = append(group.Servers, raft.Server{ID: raft.ServerID(other.id), Address: raft.ServerAddress(other.raft)})
	}
	// The transport only encodes addresses, for versions of raft that no longer exist.
	_, transport := raft.NewInmemTransport(raft.ServerAddress(n.raft))
	sink, err := store.Create(raft.SnapshotVersionMax, s.state.Index(), seedTerm, group, 1, transport)
	if err != nil {
		return err
	}
	if err := fsm.WriteSnapshot(sink, s.state); err != nil {
		return err
	}
	return sink.Close()
}
