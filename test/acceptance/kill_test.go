package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/test/harness"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// seed is where a test's randomness comes from; HONUA_TEST_SEED repeats one.
func seed(t *testing.T) *rand.Rand {
	t.Helper()
	value := rand.Uint64()
	if text := os.Getenv("HONUA_TEST_SEED"); text != "" {
		parsed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		value = parsed
	}
	t.Logf("HONUA_TEST_SEED=%d", value)
	return rand.New(rand.NewPCG(value, 0))
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// hints asks for polls without waiting for them, so that a commit's deployment begins at once.
type hints struct{ sync.WaitGroup }

func (h *hints) give(ctx context.Context, c *harness.Cluster) {
	client := c.Client()
	h.Go(func() {
		bounded, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		// What came of it does not matter: the next poll finds the commit too.
		_, _ = client.Environments().SyncEnvironment(bounded, &pb.SyncEnvironmentRequest{Environment: development})
	})
}

// storm is a cluster whose leader is killed again and again while commits keep coming.
type storm struct {
	*harness.Cluster
	t       *testing.T
	random  *rand.Rand
	hints   hints
	commits int
	// restarts are the times at which killed nodes come back.
	restarts   map[*harness.Node]time.Time
	nextCommit time.Time
}

const leaderKills = 30

// I1, I2, I4, I11, I12: whenever the leader dies, each commit has one outcome and one record, and each node activates
// what was decided, in order and once.
func TestLeaderIsKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	s := &storm{Cluster: harness.Start(t, harness.Options{}), t: t, random: seed(t), restarts: map[*harness.Node]time.Time{}}
	defer s.hints.Wait()
	observer := harness.Observe(t.Context(), development, s.Nodes...)
	for kills := 0; kills < leaderKills; kills++ {
		leader := s.awaitLeader()
		if s.random.IntN(2) == 0 {
			s.rage(between(s.random, 0, 900*time.Millisecond))
		} else { // into a deployment, wherever it is by then
			s.commit()
			harness.Pause(t.Context(), between(s.random, 0, 150*time.Millisecond))
		}
		leader.Kill()
		s.restarts[leader] = time.Now().Add(between(s.random, 0, 400*time.Millisecond))
	}
	for len(s.restarts) > 0 {
		s.rage(50 * time.Millisecond)
	}
	last := s.Repo.AddLayer(development, "after-the-storm")
	s.AwaitReady()
	s.AwaitServed(development, last)
	s.AwaitSettled(development)
	digests, _, _ := observer.Stop()
	s.check(digests)
}

// awaitLeader goes on with commits and restarts until there is a leader.
func (s *storm) awaitLeader() (leader *harness.Node) {
	s.t.Helper()
	harness.Eventually(s.t, harness.StartWithin, func() (err error) {
		s.step()
		leader, err = s.FindLeader(s.t.Context())
		return err
	})
	return leader
}

// rage goes on with commits and restarts for some time.
func (s *storm) rage(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		s.step()
		harness.Pause(s.t.Context(), time.Duration(s.random.Int64N(int64(20*time.Millisecond))))
	}
}

// step does what is due.
func (s *storm) step() {
	now := time.Now()
	for node, at := range s.restarts {
		if now.After(at) {
			node.Start()
			delete(s.restarts, node)
		}
	}
	if now.After(s.nextCommit) {
		s.commit()
	}
}

func (s *storm) commit() {
	s.commits++
	s.Repo.SetTitle(development, "Cities "+strconv.Itoa(s.commits))
	s.hints.give(s.t.Context(), s.Cluster)
	s.nextCommit = time.Now().Add(between(s.random, 200*time.Millisecond, 600*time.Millisecond))
}

func (s *storm) check(served []string) {
	s.t.Helper()
	s.CheckJournals(development)
	records := s.CheckDeployments(development)
	byCommit, byState := map[string]string{}, map[string]int{}
	for _, d := range records {
		if byCommit[d.GetCommit()] != "" {
			s.t.Errorf("I12: %s and %s are both for commit %s", d.GetId(), byCommit[d.GetCommit()], d.GetCommit())
		}
		byCommit[d.GetCommit()] = d.GetId()
		byState[d.GetState().String()]++
		if d.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_FAILED {
			s.t.Errorf("%s, a good commit, failed: %s", d.GetId(), d.GetErrorMessage())
		}
	}
	activations := s.CheckServed(development, served)
	s.AwaitEqualStates()
	recovered := 0
	for _, n := range s.Nodes {
		journal, err := n.Journal()
		if err != nil {
			s.t.Error(err)
		}
		for _, entry := range journal {
			if entry.Phase == node.Resumed && entry.Recovered {
				recovered++
			}
		}
	}
	s.t.Logf("%d commits, records %v, %d activations, %d found half done", s.commits, byState, activations, recovered)
}

// A follower that dies does not hold up the others, and catches up.
func TestFollowerIsKilledDuringADeployment(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	random := seed(t)
	var h hints
	defer h.Wait()
	for range 3 {
		follower := c.Others(c.Leader())[random.IntN(2)]
		commit := c.Repo.SetTitle(development, "Cities "+strconv.Itoa(random.Int()))
		h.give(t.Context(), c)
		harness.Pause(t.Context(), between(random, 0, 200*time.Millisecond))
		follower.Kill()
		c.AwaitServed(development, commit)
		follower.Start()
		follower.AwaitReady()
		c.AwaitServed(development, commit)
		c.AwaitSettled(development)
		one(t, c, development, commit)
	}
	c.CheckJournals(development)
	c.CheckDeployments(development)
	c.AwaitEqualStates()
}

// All nodes die in the middle of a deployment: it goes on where it was. A commit made meanwhile deploys too.
func TestEveryNodeIsKilledAtOnce(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, harness.Options{})
	random := seed(t)
	var h hints
	defer h.Wait()
	for round := range 4 {
		commit := c.Repo.SetTitle(development, "Cities "+strconv.Itoa(round))
		h.give(t.Context(), c)
		harness.Pause(t.Context(), between(random, 0, 250*time.Millisecond))
		killAll(c)
		if round%2 == 1 {
			commit = c.Repo.SetTitle(development, fmt.Sprintf("Cities %d, while nobody looked", round))
		}
		for _, n := range c.Nodes {
			n.Start()
		}
		c.AwaitReady()
		c.AwaitServed(development, commit)
		c.AwaitSettled(development)
		one(t, c, development, commit)
	}
	c.CheckJournals(development)
	c.CheckDeployments(development)
	c.AwaitEqualStates()
}

func killAll(c *harness.Cluster) {
	var all sync.WaitGroup
	for _, n := range c.Nodes {
		all.Go(n.Kill)
	}
	all.Wait()
}
