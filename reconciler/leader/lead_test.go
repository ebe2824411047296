package leader

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakes are a cluster of three without a network: a log that every proposal
// gets into, nodes that accept everything, and a repository of one branch.
type fakes struct {
	pb.NodeServiceClient
	rig *rig

	mu    sync.Mutex
	head  string
	text  string
	err   error
	opens int
	// signature is what a check of signatures finds; reads are what was asked for.
	signature gitsync.SignatureStatus
	reads     []gitsync.Request
	// fails are the errors of reading, by environment.
	fails map[string]error
	// polls are the times at which the head was asked for.
	polls []time.Time
}

// timesRead is how often a commit was read.
func (f *fakes) timesRead() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.reads)
}

func (f *fakes) Propose(_ context.Context, term uint64, payload *pb.Payload) (fsm.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := fsm.Encode(fsm.Header{Proposer: "a", Term: term, ProposedAt: time.Now().UnixMilli()}, payload)
	if err != nil {
		return fsm.Result{}, err
	}
	return f.rig.store.Apply(fsm.Entry{Index: f.rig.store.State().Index() + 1, Term: term, Data: data})
}

func (f *fakes) Voters() []string             { return []string{"a", "b", "c"} }
func (f *fakes) Members() []string            { return f.Voters() }
func (f *fakes) Silence(string) time.Duration { return 0 }

// node is one member as the leader reaches it.
type node struct {
	*fakes
	id string
}

func (f *fakes) Node(id string) (pb.NodeServiceClient, error) { return node{f, id}, nil }

func (n node) Stage(context.Context, *pb.StageRequest, ...grpc.CallOption) (*pb.StageResponse, error) {
	return &pb.StageResponse{NodeId: n.id, Incarnation: n.id + "1", Accepted: true}, nil
}

func (n node) Verify(context.Context, *pb.VerifyRequest, ...grpc.CallOption) (*pb.VerifyResponse, error) {
	return &pb.VerifyResponse{NodeId: n.id, Incarnation: n.id + "1", Served: true}, nil
}

func (n node) GetNodeStatus(context.Context, *pb.GetNodeStatusRequest, ...grpc.CallOption) (*pb.GetNodeStatusResponse, error) {
	return &pb.GetNodeStatusResponse{NodeId: n.id, Incarnation: n.id + "1", NowMs: time.Now().UnixMilli()}, nil
}

func (f *fakes) Head(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls = append(f.polls, time.Now())
	return f.head, f.err
}

func (f *fakes) ReadEach(_ context.Context, requests []gitsync.Request, each func(int, *gitsync.Reading, error)) {
	for i, request := range requests {
		reading, err := f.read(request)
		each(i, reading, err)
	}
}

func (f *fakes) read(request gitsync.Request) (*gitsync.Reading, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := readingOf(f.text, "")
	r.Commit.SHA = request.Commit
	f.reads = append(f.reads, request)
	if err := f.fails[request.Environment]; err != nil {
		return nil, err
	}
	if request.Verification.Mode != gitsync.VerifyNone {
		r.Signature = gitsync.Signature{Status: f.signature, Commit: request.Commit, Signer: "grace@example.com", Key: "SHA256:x"}
	}
	return r, nil
}

func (f *fakes) Close() {}

func (f *fakes) push(head, text string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head, f.text, f.err = head, text, err
}

func (f *fakes) asked() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Time(nil), f.polls...)
}

// leading runs a test while a leader leads term 1, in a bubble of its own time.
func leading(t *testing.T, prepare func(*fakes), test func(*testing.T, *fakes)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakes{rig: newRig(t), head: "c1", text: emptyCatalog}
		if prepare != nil {
			prepare(f)
		}
		f.lead(t, 1, func() { test(t, f) })
	})
}

// lead leads a term while a test does something.
func (f *fakes) lead(t *testing.T, term uint64, during func()) {
	open := func(*fsm.Settings, string) (Repository, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.opens++
		if f.opens == 1 && errors.Is(f.err, errDisk) {
			return nil, errDisk
		}
		return f, nil
	}
	l, err := New(Config{
		NodeID: "a", Store: f.rig.store, Proposer: f, Group: f, Nodes: f, Open: open, Now: time.Now,
		Random: func() float64 { return 0.5 }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Lead(ctx, term) }()
	during()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

var errDisk = errors.New("the disk is full")

func (f *fakes) completed(t *testing.T, commit string) {
	t.Helper()
	env := f.rig.env()
	if env.Active == nil || env.Active.Commit != commit || env.Operation != nil || env.LatestCommit != commit {
		t.Fatalf("the environment is %+v", env)
	}
	if d := f.rig.store.State().Deployment(env.LastCompletedID); d == nil || d.State != fsm.Completed || d.Commit != commit {
		t.Fatalf("the deployment is %+v", d)
	}
}

func TestLeadTakesACommitToCompleted(t *testing.T) {
	leading(t, nil, func(t *testing.T, f *fakes) {
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.completed(t, "c1")
		f.push("c2", `{"services": [ ]}`, nil)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		f.completed(t, "c2")
		before := f.rig.env().LastActivation
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if deployments, _, _ := f.rig.store.State().Counts(); deployments != 2 || f.rig.env().LastActivation != before {
			t.Fatalf("I12: %d records after more polls", deployments)
		}
	})
}

func TestHintPollsAtOnce(t *testing.T) {
	leading(t, nil, func(t *testing.T, f *fakes) {
		time.Sleep(2 * time.Second)
		polls := len(f.asked())
		f.push("c2", `{"services": [ ]}`, nil)
		at := time.Now()
		r, err := f.Propose(t.Context(), 1, &pb.Payload{Command: &pb.Payload_RequestPoll{RequestPoll: &pb.RequestPoll{Environment: "prod"}}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		asked := f.asked()
		if len(asked) != polls+1 || asked[polls].Sub(at) > 100*time.Millisecond {
			t.Fatalf("%d polls after the hint", len(asked)-polls)
		}
		f.completed(t, "c2")
		if got := f.rig.env().PollDone; got != r.Value {
			t.Fatalf("the poll answers generation %d, not %d", got, r.Value)
		}
	})
}

func TestFailingRepositoryIsAskedLessAndLess(t *testing.T) {
	leading(t, func(f *fakes) { f.err = errors.New("no route") }, func(t *testing.T, f *fakes) {
		time.Sleep(8 * time.Minute)
		synctest.Wait()
		asked := f.asked()
		for i := 2; i < len(asked); i++ {
			pause, before := asked[i].Sub(asked[i-1]), asked[i-1].Sub(asked[i-2])
			if pause < before-time.Second || pause > gitsync.MaxBackoff+time.Second {
				t.Fatalf("pauses of %s and then %s", before, pause)
			}
		}
		if len(asked) < 3 || len(asked) > 5 || f.rig.env().PollErrorCode == "" {
			t.Fatalf("asked %d times, the error on record is %q", len(asked), f.rig.env().PollErrorCode)
		}
		f.push("c1", emptyCatalog, nil)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		f.completed(t, "c1")
		if code := f.rig.env().PollErrorCode; code != "" {
			t.Fatalf("it recovered, and says %q", code)
		}
	})
}

func TestRepositoryThatCannotBeOpenedIsOpenedLater(t *testing.T) {
	leading(t, func(f *fakes) { f.err = errDisk }, func(t *testing.T, f *fakes) {
		time.Sleep(time.Second)
		f.push("c1", emptyCatalog, nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		f.completed(t, "c1")
	})
}

func TestConfigNamesWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); !errors.Is(err, ErrConfig) {
		t.Fatalf("the error is %v", err)
	}
}
