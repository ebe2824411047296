package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/memnet"
)

// lab is a cluster inside one bubble: real nodes with real disks over a network
// in memory, and time that does not pass while anyone works.
type lab struct {
	t   *testing.T
	net *memnet.Network
	dir string
	all map[string]*machine
	// exits are the nodes whose watchdog gave up.
	exits chan string
	tasks *taskLog
}

// machine is a node that can be started, stopped and killed.
type machine struct {
	lab  *lab
	cfg  Config
	ip   string
	node *Node
	// disk, if set, is used instead of a file for the log and the votes.
	disk *frailDisk
	// wrapLog, if set, sits between raft and its log.
	wrapLog func(raft.LogStore) raft.LogStore

	cancel context.CancelFunc
	server *grpc.Server
	done   chan error
}

// bubble runs a test in a bubble with a lab, and ends what it left running.
func bubble(t *testing.T, test func(l *lab)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{
			t: t, net: memnet.New(), dir: t.TempDir(), all: map[string]*machine{},
			exits: make(chan string, 16), tasks: &taskLog{},
		}
		defer l.end()
		test(l)
	})
}

func (l *lab) end() {
	l.net.Heal()
	var pending sync.WaitGroup
	for _, m := range l.all {
		if m.cancel != nil {
			pending.Go(func() { _ = m.stop() })
		}
	}
	pending.Wait()
	// Time stands still once the test returns, and memberlist and gRPC leave
	// goroutines that end by their timers.
	time.Sleep(time.Minute)
}

// machine returns the configuration of a node that is not started yet.
func (l *lab) machine(id string, change ...func(*Config)) *machine {
	l.t.Helper()
	ip := fmt.Sprintf("10.0.0.%d", len(l.all)+1)
	m := &machine{lab: l, ip: ip, cfg: Config{
		NodeID: id, ClusterName: "test", DataDirectory: filepath.Join(l.dir, id), Voter: true,
		BootstrapExpect: 3, Join: []string{"10.0.0.1:7702", "10.0.0.2:7702", "10.0.0.3:7702"},
		Version: "1.0", InitialSettings: initialSettings, PromotionDelay: 10 * time.Second,
		Logger: l.logger(), LeaderTask: &recordedTask{id: id, log: l.tasks},
	}}
	m.cfg.Exit = func(error) {
		select {
		case l.exits <- id:
		default: // nobody counts them
		}
	}
	for _, f := range change {
		f(&m.cfg)
	}
	m.at(ip)
	l.all[id] = m
	return m
}

// at moves the machine to an address.
func (m *machine) at(ip string) {
	m.ip = ip
	m.cfg.Network = m.lab.net.Host(ip)
	m.cfg.RaftBind, m.cfg.RaftAdvertise = ":7701", memnet.Addr(ip, 7701)
	m.cfg.GossipBind, m.cfg.GossipAdvertise = ":7702", memnet.Addr(ip, 7702)
	m.cfg.GRPCAdvertise, m.cfg.HTTPAdvertise = memnet.Addr(ip, 7700), memnet.Addr(ip, 5000)
}

func initialSettings() (*pb.SettingsValue, string) {
	policy := &pb.PolicyValue{ApprovalTimeoutMs: 1000, HealthCheckTimeoutMs: 1000, StagingTimeoutMs: 1000, MinimumRisk: pb.RiskValue_RISK_VALUE_HIGH}
	return &pb.SettingsValue{
		RepositoryUrl: "file:///nowhere", PollIntervalMs: 30000, HistoryLimit: 200,
		MaxFileBytes: 1 << 20, MaxBundleBytes: 1 << 22, MaxFiles: 100, FetchTimeoutMs: 60000, FetchMemoryBytes: 1 << 28,
		Environments: []*pb.EnvironmentValue{{Name: "development", Branch: "main", Policy: policy}},
	}, "digest"
}

func (l *lab) logger() *slog.Logger {
	if !testing.Verbose() || os.Getenv("CLUSTER_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// start opens and runs the node.
func (m *machine) start() *machine {
	m.lab.t.Helper()
	node, err := m.open()
	if err != nil {
		m.lab.t.Fatalf("%s: %v", m.cfg.NodeID, err)
	}
	if m.wrapLog != nil {
		node.disk.log = m.wrapLog(node.disk.log)
	}
	m.node = node
	listener, err := m.cfg.Network.Listen(memnet.Addr(m.ip, 7700))
	if err != nil {
		m.lab.t.Fatal(err)
	}
	m.server = grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}))
	node.RegisterPeerService(m.server)
	served := make(chan struct{})
	server := m.server
	go func() { defer close(served); _ = server.Serve(listener) }()
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel, m.done = cancel, make(chan error, 1)
	done := m.done
	go func() {
		err := node.Run(ctx)
		server.Stop()
		<-served
		done <- err
	}()
	return m
}

// stop ends the node in order.
func (m *machine) stop() error {
	m.cancel()
	err := <-m.done
	m.cancel = nil
	return err
}

// kill takes the machine off the network, as kill -9 does, and frees its disk.
func (m *machine) kill() {
	m.lab.net.Down(m.ip)
	_ = m.stop()
	m.lab.net.Up(m.ip)
}

func (m *machine) wipe() {
	m.lab.t.Helper()
	if err := os.RemoveAll(m.cfg.DataDirectory); err != nil {
		m.lab.t.Fatal(err)
	}
}

// three starts the usual cluster and waits until all of it is in order.
func (l *lab) three() [3]*machine {
	l.t.Helper()
	var ms [3]*machine
	for i, id := range []string{"a", "b", "c"} {
		ms[i] = l.machine(id)
	}
	for _, m := range ms {
		m.start()
	}
	l.settle(ms[:]...)
	return ms
}

// settle waits until the nodes have caught up and are on record.
func (l *lab) settle(ms ...*machine) {
	l.t.Helper()
	l.eventually(30*time.Second, "the cluster settles", func() bool {
		for _, m := range ms {
			record := m.node.Store().State().Node(m.cfg.NodeID)
			if !m.node.Status().CaughtUp || record == nil || record.Incarnation != m.node.Incarnation() {
				return false
			}
		}
		return l.leader() != nil
	})
}

// leader returns the machine that leads an established term, or nil.
func (l *lab) leader() *machine {
	for _, m := range l.all {
		if m.cancel == nil {
			continue
		}
		if m.node.leading.Load() != nil {
			return m
		}
	}
	return nil
}

func (l *lab) awaitLeader() *machine {
	l.t.Helper()
	var leader *machine
	l.eventually(10*time.Second, "someone leads", func() bool {
		leader = l.leader()
		return leader != nil
	})
	return leader
}

func (l *lab) followers() []*machine {
	var out []*machine
	for _, id := range slices.Sorted(maps.Keys(l.all)) {
		if m := l.all[id]; m.cancel != nil && m != l.leader() {
			out = append(out, m)
		}
	}
	return out
}

// eventually waits, in the bubble's time, for something to become true.
func (l *lab) eventually(limit time.Duration, what string, holds func() bool) {
	l.t.Helper()
	for start := time.Now(); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > limit {
			l.t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// poll is a command that anyone may propose: it raises the poll generation.
func poll(id string) Command {
	return Command{
		RequestID: id, IssuedAt: time.Now().UnixMilli(), Caller: &pb.Caller{Identity: "tester", Authentication: "none"},
		Payload: &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "development"}}},
	}
}

func (m *machine) propose(limit time.Duration, c Command) (fsm.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	result, err := m.node.Propose(ctx, c)
	return result, errors.Join(err, result.Err())
}

func (m *machine) mustPropose(id string) fsm.Result {
	m.lab.t.Helper()
	result, err := m.propose(5*time.Second, poll(id))
	if err != nil {
		m.lab.t.Fatalf("%s proposes %s: %v", m.cfg.NodeID, id, err)
	}
	return result
}

func (m *machine) linear(limit time.Duration) (*fsm.State, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return m.node.Linearize(ctx)
}

// suffrage returns what a node is in another's configuration: "", nonvoter or voter.
func (m *machine) suffrage(id string) string {
	s, ok := m.node.server(id)
	switch {
	case !ok:
		return ""
	case s.Suffrage == raft.Voter:
		return "voter"
	default:
		return "nonvoter"
	}
}

// taskLog checks that leader tasks of one node never overlap.
type taskLog struct {
	mu      sync.Mutex
	running map[string]int
	terms   []uint64
	overlap atomic.Bool
}

type recordedTask struct {
	id  string
	log *taskLog
}

// Lead notes its beginning and end, and takes its time to end.
func (r *recordedTask) Lead(ctx context.Context, term Term) error {
	r.log.mu.Lock()
	if r.log.running == nil {
		r.log.running = map[string]int{}
	}
	r.log.running[r.id]++
	if r.log.running[r.id] > 1 || slices.Contains(r.log.terms, term.Number) {
		r.log.overlap.Store(true) // I15: one leader per term, one task per node
	}
	r.log.terms = append(r.log.terms, term.Number)
	r.log.mu.Unlock()
	<-ctx.Done()
	time.Sleep(50 * time.Millisecond)
	r.log.mu.Lock()
	r.log.running[r.id]--
	r.log.mu.Unlock()
	return ctx.Err()
}

// removeLog loses the log and keeps everything else.
func (m *machine) removeLog() {
	m.lab.t.Helper()
	if err := os.Remove(filepath.Join(m.cfg.DataDirectory, logFile)); err != nil {
		m.lab.t.Fatal(err)
	}
}
