package admin

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// recorded is a log that fails the first proposals.
type recorded struct {
	mu      sync.Mutex
	fail    int
	at      []time.Time
	ids     []string
	denials []*pb.DenialValue
}

func (r *recorded) Propose(_ context.Context, id string, _ int64, _ *pb.Caller, p *pb.Payload) (fsm.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, id)
	if r.fail > 0 {
		r.fail--
		return fsm.Result{}, errors.New("no leader")
	}
	r.at = append(r.at, time.Now())
	r.denials = append(r.denials, p.GetRecordDenials().GetDenials()...)
	return fsm.Result{}, nil
}

func denialsFor(t *testing.T, r *recorded) (*denials, func()) {
	t.Helper()
	d := &denials{
		proposer: r, nodeID: func() string { return "n1" }, now: time.Now, logger: slog.New(slog.DiscardHandler),
		counts: map[denial]uint32{}, news: make(chan struct{}, 1),
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.run(ctx) }()
	return d, func() { stop(); <-done }
}

// However often callers are denied, a node writes at most one record a second,
// and no attempt is lost.
func TestDenialsAreAggregated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &recorded{}
		d, stop := denialsFor(t, log)
		eve := Identity{Name: "eve", Authentication: "token", Source: "10.0.0.9:4711"}
		for range 1000 {
			d.count(eve, "/Approve", "no")
			d.count(eve, "/Rollback", "no")
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		stop()
		total := map[string]uint32{}
		for _, value := range log.denials {
			if value.GetIdentity() != "eve" || value.GetSource() != "10.0.0.9" {
				t.Errorf("%v", value)
			}
			total[value.GetMethod()] += value.GetCount()
		}
		if total["/Approve"] != 1000 || total["/Rollback"] != 1000 {
			t.Errorf("recorded %v of 1000 each", total)
		}
		for i := 1; i < len(log.at); i++ {
			if gap := log.at[i].Sub(log.at[i-1]); gap < time.Second {
				t.Errorf("records %d and %d are %s apart", i-1, i, gap)
			}
		}
	})
}

// A record whose outcome is unknown is repeated with the same request id (I3).
func TestDenialsOutliveALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &recorded{fail: 3}
		d, stop := denialsFor(t, log)
		d.count(Identity{Name: "eve", Authentication: "token"}, "/Approve", "no")
		time.Sleep(10 * time.Second)
		stop()
		if len(log.denials) != 1 || len(log.ids) != 4 || len(slices.Compact(log.ids)) != 1 {
			t.Errorf("records %v, request ids %v", log.denials, log.ids)
		}
	})
}

func TestKindsOfDenialsAreBounded(t *testing.T) {
	d := &denials{counts: map[denial]uint32{}, news: make(chan struct{}, 1)}
	for i := range 10 * maxDenialKinds {
		d.count(Identity{Name: "eve", Authentication: "token"}, "/Approve", time.Duration(i).String())
	}
	if len(d.order) != maxDenialKinds+1 {
		t.Errorf("%d kinds", len(d.order))
	}
}

// Denials of a caller who is known are on record; those of one who is not are
// counted and logged alone.
func TestDenialsAreOnRecord(t *testing.T) {
	denied := map[bool]int{}
	count := func(c *Config) { c.Denied = func(known bool) { denied[known]++ } }
	a := serve(t, as(Identity{Name: "eve", Authentication: "token", Roles: map[string]Role{AllEnvironments: Viewer}}), count)
	before := a.node.Store().State().Index()
	for range 3 {
		if _, err := a.environments.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{Environment: "production", Reason: "mine"}); err == nil {
			t.Fatal("a viewer paused")
		}
	}
	state, err := a.node.Store().Wait(t.Context(), before+1)
	if err != nil {
		t.Fatal(err)
	}
	attempts := ""
	for r := range state.Audit(0) {
		if r.Action == "access.denied" && r.Actor == "eve" && r.Object == pb.EnvironmentService_PauseEnvironment_FullMethodName {
			attempts = r.Detail
		}
	}
	if attempts == "" || denied[true] != 3 {
		t.Errorf("on record %q, counted %v", attempts, denied)
	}

	b := serve(t, func(c *Config) { c.Authenticator = identified{err: errors.New("the token has expired")} }, count)
	if _, err := b.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{}); err == nil {
		t.Fatal("an expired token was accepted")
	}
	if denied[false] != 1 {
		t.Errorf("counted %v", denied)
	}
}
