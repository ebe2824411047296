package recovery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/harness"
)

// stopWithin is how long a node may take to stop in order.
const stopWithin = 10 * time.Second

// A leader that gets SIGTERM is not ready from then on, ends its watches so that clients ask another node, hands its
// leadership over, leaves gossip, and ends in time.
func TestStopInOrder(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{PollSeconds: 3600})
	c.AwaitServed("development", c.Repo.Commits()[0])
	leader := c.Leader()
	term := clusterStatus(t, c).Term
	watch := openWatch(t, leader)
	readiness := followReadiness(t, leader)
	readiness.await(http.StatusOK)

	begun := time.Now()
	if err := leader.End(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > stopWithin {
		t.Errorf("it took %s", took)
	}
	if err := <-watch; status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "stop") {
		t.Errorf("the watch ended with %v", err)
	}
	readiness.check()
	checkHandedOver(t, c, leader, term)
}

// openWatch watches deployments at one node; the channel gets how the stream ended.
func openWatch(t *testing.T, n *harness.Node) <-chan error {
	t.Helper()
	conn, err := n.Conn()
	if err != nil {
		t.Fatal(err)
	}
	stream, err := pb.NewDeploymentServiceClient(conn).WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := stream.Recv(); err != nil {
				ended <- err
				return
			}
		}
	}()
	return ended
}

// readiness is what a node answered to /health/ready, one after the other.
type readiness struct {
	t    *testing.T
	node *harness.Node
	mu   sync.Mutex
	seen []int
	last string
	done chan struct{}
}

// followReadiness asks a node without a pause until it answers no more.
func followReadiness(t *testing.T, n *harness.Node) *readiness {
	r := &readiness{t: t, node: n, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for n.Running() && t.Context().Err() == nil {
			r.ask()
		}
	}()
	return r
}

func (r *readiness) ask() {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
	defer cancel()
	answer, err := r.node.Get(ctx, "/health/ready")
	if err != nil {
		return // the port is closed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, answer.Code)
	if answer.Code != http.StatusOK {
		r.last = string(answer.Body)
	}
}

// await waits for an answer with a code.
func (r *readiness) await(code int) {
	r.t.Helper()
	harness.Eventually(r.t, harness.StartWithin, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.seen) == 0 || r.seen[len(r.seen)-1] != code {
			return fmt.Errorf("answers so far: %v", r.seen)
		}
		return nil
	})
}

// check: once it was not ready it never was again, and it said why.
func (r *readiness) check() {
	r.t.Helper()
	<-r.done
	refused := 0
	for _, code := range r.seen {
		switch {
		case code == http.StatusServiceUnavailable:
			refused++
		case refused > 0:
			r.t.Errorf("it answered %d after 503", code)
		}
	}
	if refused == 0 || !strings.Contains(r.last, `"code":"stopping"`) {
		r.t.Errorf("%d of %d answers were 503, the last was %s", refused, len(r.seen), r.last)
	}
}

// checkHandedOver: the others have a leader of the next term without an election that went wrong, and know that the
// node has left.
func checkHandedOver(t *testing.T, c *harness.Cluster, gone *harness.Node, term uint64) {
	t.Helper()
	if !strings.Contains(gone.Log(), "the node stopped in order") {
		t.Error("it does not say that it stopped in order")
	}
	other := c.Others(gone)[0]
	harness.Eventually(t, harness.StartWithin, func() error {
		var now view.ClusterStatus
		other.CLI("cluster", "status", "-o", "json").Expect(t, 0).Decode(t, &now)
		if now.LeaderID == "" || now.LeaderID == gone.ID || now.Term != term+1 {
			return fmt.Errorf("leader %q in term %d after %d", now.LeaderID, now.Term, term)
		}
		var list view.MemberList
		other.CLI("cluster", "members", "-o", "json").Expect(t, 0).Decode(t, &list)
		for _, m := range list.Members {
			if m.ID == gone.ID && m.Status != "left" {
				return errors.New(gone.ID + " is " + m.Status + ", it has not left")
			}
		}
		return nil
	})
}
