package web

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/honua-io/honua-gitops/api/admin/admintest"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func testGroup() Group {
	return Group{
		Commits: 3, CommitTime: 30 * time.Millisecond, CommitBuckets: map[time.Duration]uint64{time.Millisecond: 1, time.Second: 3},
		InFlight: 2, Refused: 4, Unknown: 5, LogWrites: 7, LogWriteTime: time.Second,
		PeerContact: map[string]time.Duration{"n2": 20 * time.Millisecond}, MembersAlive: 2, MembersFailed: 1,
	}
}

func testMachine() Machine {
	return Machine{
		Directories: map[string]string{"cluster": "/var/honua/cluster", "data": "/nowhere"},
		Disk: func(directory string) (Disk, error) {
			if directory == "/nowhere" {
				return Disk{}, errors.New("no such directory")
			}
			return Disk{Free: 10, Size: 40}, nil
		},
		Certificates: func() map[string]time.Time {
			return map[string]time.Time{"/etc/honua/node.pem": time.Unix(1_800_000_000, 0)}
		},
	}
}

func TestGroupAndMachine(t *testing.T) {
	_, metrics := observed(t)
	want := `
# HELP honua_disk_free_bytes Bytes that this node may still write where it keeps what it must keep.
# TYPE honua_disk_free_bytes gauge
honua_disk_free_bytes{directory="cluster"} 10
# HELP honua_gossip_members Members that gossip sees, by status.
# TYPE honua_gossip_members gauge
honua_gossip_members{status="alive"} 2
honua_gossip_members{status="failed"} 1
# HELP honua_raft_commit_duration_seconds Seconds from a proposal at this node, as the leader, until it was committed and applied, or failed.
# TYPE honua_raft_commit_duration_seconds histogram
honua_raft_commit_duration_seconds_bucket{le="0.001"} 1
honua_raft_commit_duration_seconds_bucket{le="1"} 3
honua_raft_commit_duration_seconds_bucket{le="+Inf"} 3
honua_raft_commit_duration_seconds_sum 0.03
honua_raft_commit_duration_seconds_count 3
# HELP honua_raft_peer_last_contact_seconds How long ago a follower answered this leader.
# TYPE honua_raft_peer_last_contact_seconds gauge
honua_raft_peer_last_contact_seconds{peer="n2"} 0.02
# HELP honua_tls_certificate_expiry_timestamp_seconds Unix time at which a certificate in use expires.
# TYPE honua_tls_certificate_expiry_timestamp_seconds gauge
honua_tls_certificate_expiry_timestamp_seconds{file="/etc/honua/node.pem"} 1.8e+09
`
	var names []string
	for line := range strings.Lines(want) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(name)[0])
		}
	}
	if err := testutil.GatherAndCompare(metrics.registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestDriftIsThisNodesOwn(t *testing.T) {
	node, _ := serving(t)
	node.serving[0].Drift = "layer cities: the file is gone"
	want := `
# HELP honua_gitops_drift 1 while something that this node serves is broken, such as a data file that vanished.
# TYPE honua_gitops_drift gauge
honua_gitops_drift{environment="development",node="n1"} 1
`
	if err := testutil.CollectAndCompare(newServingCollector(node), strings.NewReader(want), "honua_gitops_drift"); err != nil {
		t.Error(err)
	}
}

// rolledBack is a cluster that took a commit back after 90 seconds.
func rolledBack(t *testing.T) *admintest.Node {
	t.Helper()
	cluster := admintest.New(t)
	cluster.Deploy("roads")
	id := cluster.Deploy("rivers")
	cluster.Advance(90 * time.Second)
	cluster.Call(&pb.Payload{Command: &pb.Payload_Rollback{Rollback: &pb.RollbackCommand{Environment: "development", Reason: "r"}}})
	cluster.Stage("development", id)
	cluster.Finish("development")
	return cluster
}

func delivered(t *testing.T, cluster *admintest.Node) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(newDeliveryCollector(&testNode{state: cluster.Store().State(), contact: leading()})); err != nil {
		t.Fatal(err)
	}
	return registry
}

// How long a change took, and how long what was rolled away from was served.
func TestLeadTimeAndRestoreTime(t *testing.T) {
	if families, err := delivered(t, admintest.New(t)).Gather(); len(families) != 0 || err != nil {
		t.Errorf("before the first deployment: %v, %v", families, err)
	}
	want := `
# HELP honua_gitops_lead_time_seconds Seconds from the commit of the newest deployment until it was activated.
# TYPE honua_gitops_lead_time_seconds gauge
honua_gitops_lead_time_seconds{environment="development"} 300
# HELP honua_gitops_restore_time_seconds Seconds for which the content that was rolled away from last had been active.
# TYPE honua_gitops_restore_time_seconds gauge
honua_gitops_restore_time_seconds{environment="development"} 90
`
	if err := testutil.GatherAndCompare(delivered(t, rolledBack(t)), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
