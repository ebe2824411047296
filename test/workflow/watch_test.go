package workflow

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// errSeen ends a watch that has seen the end of what it follows.
var errSeen = errors.New("seen")

// Two who watch, one of them through the leader that is killed meanwhile, see every event once and in order.
func TestWatchersLoseNoEventWithTheLeader(t *testing.T) {
	t.Parallel()
	c := startGated(t)
	first := await(t, c, production, c.Repo.Commits()[0], awaiting)
	c.CLI("deployment", "approve", first.GetId(), "--approver", "grace").Expect(t, 0)
	leader := c.Leader()
	watchers := [][]string{append([]string{leader.GRPC}, c.Addresses()...), {c.Others(leader)[0].GRPC}}
	seen, errs := make([][]string, len(watchers)), make([]error, len(watchers))
	begun := make(chan struct{}, len(watchers))
	var watching sync.WaitGroup
	for i, addresses := range watchers {
		watching.Go(func() { seen[i], errs[i] = follow(t, addresses, first.GetId(), begun) })
	}
	for range watchers {
		<-begun
	}
	got := ways()[0].run(t, c, 3)
	watching.Wait()
	for i := range watchers {
		if errs[i] != nil || !slices.Equal(seen[i], actions(got)) {
			t.Errorf("watcher %d saw %v (%v), on record are %v", i+1, seen[i], errs[i], actions(got))
		}
	}
}

// follow returns what happened to production's next deployment, until it is complete. Of the one before, a node may
// still show the end.
func follow(t *testing.T, addresses []string, before string, begun chan<- struct{}) (seen []string, err error) {
	told := sync.OnceFunc(func() { begun <- struct{}{} })
	defer told()
	c, err := client.New(client.Config{Addresses: addresses})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	err = c.WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{Environment: production}, func(m *pb.WatchDeploymentsResponse) error {
		told()
		if m.GetEvent() == nil || m.GetDeployment().GetId() == before {
			return nil
		}
		seen = append(seen, m.GetEvent().GetAction())
		if m.GetEvent().GetAction() == "deployment.completed" {
			return errSeen
		}
		return nil
	})
	if errors.Is(err, errSeen) {
		err = nil
	}
	return seen, err
}
