//go:build linux

// Package chaos runs a cluster of real processes under faults and load, and leaves everything that the checks need in
// one folder. It runs in a cell (see package cell), which holds whatever it starts.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/internal/planted"
	"github.com/honua-io/honua-gitops/test/chaos/cell"
	"github.com/honua-io/honua-gitops/test/chaos/clients"
	"github.com/honua-io/honua-gitops/test/chaos/faults"
	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/chaos/plan"
	"github.com/honua-io/honua-gitops/test/gitserver"
	"github.com/honua-io/honua-gitops/test/harness"
)

// Config is one round.
type Config struct {
	// Dir is an empty folder, which holds all that is left of the round.
	Dir string
	// Program is the binary under test.
	Program string
	Seed    uint64
	// Length is how long faults are done.
	Length time.Duration
	Nodes  int
	Kinds  []plan.Kind
	// Planted is a defect for the binary to show.
	Planted string
}

const webhookSecret = "a secret for chaos"

// environments are what every round has: one that deploys whatever comes, one that wants a word after a rollback, and
// one that wants two approvers for everything.
func environments() []history.Environment {
	return []history.Environment{{Name: "development"}, {Name: "staging"}, {Name: "production", Approvers: 2}}
}

// round is a round under way.
type round struct {
	Config
	t       testing.TB
	begun   time.Time
	cluster *harness.Cluster
	network *cell.Network
	git     *gitserver.Server
	repo    *repository
	leaders *leaders
	doer    *faults.Doer
	disks   faults.Disks
	files   []*history.Writer
	calls   *history.Writer
	polls   *history.Writer
	applied *history.Writer
	faults  time.Duration
	// unsupervise ends what supervise began.
	unsupervise func() error
}

// Run runs one round. An error says that the cluster did not come to rest after everything was healed, or that the
// round itself failed; whether the promises held is for the checks to find out, from the folder.
func Run(ctx context.Context, c Config) error {
	return harness.Outside(ctx, c.Dir, func(t testing.TB) {
		r := &round{Config: c, t: t, begun: time.Now(), disks: faults.Disks{}}
		if err := r.run(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

func (r *round) run(ctx context.Context) (err error) {
	if err := r.open(); err != nil {
		return err
	}
	defer func() {
		for _, file := range r.files {
			err = errors.Join(err, file.Close())
		}
	}()
	if err := r.start(ctx); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	defer r.network.Close()
	r.supervise(ctx)
	defer r.unsupervise() //nolint:errcheck // a round that ends in order has asked before
	if err := r.rage(ctx); err != nil {
		return err
	}
	ends, err := r.settle(ctx)
	return errors.Join(err, r.record(ends))
}

func (r *round) open() error {
	for name, file := range map[string]**history.Writer{
		history.CallsFile: &r.calls, history.PollsFile: &r.polls, history.FaultsFile: &r.applied,
	} {
		made, err := history.Create(filepath.Join(r.Dir, name))
		if err != nil {
			return err
		}
		*file = made
		r.files = append(r.files, made)
	}
	return nil
}

// start brings up network, repository and cluster, and approves what awaits it, until every node serves.
func (r *round) start(ctx context.Context) (err error) {
	if r.network, err = cell.NewNetwork(ctx, r.Nodes, r.Seed); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(cell.Host(cell.Hub), "0"))
	if err != nil {
		return err
	}
	var names []string
	policies := map[string]harness.Section{}
	for _, e := range environments() {
		names = append(names, e.Name)
		policies[e.Name] = policy(e)
	}
	r.cluster = harness.Start(r.t, harness.Options{
		Nodes: r.Nodes, Environments: names, Policies: policies, Program: r.Program, Unready: true,
		Host: cell.Host, Launch: r.launch,
		RepositoryOf: func(dir string) string {
			r.git = gitserver.NewOn(r.t, filepath.Dir(dir), listener)
			return r.git.URL + "/" + filepath.Base(dir)
		},
		Adjust: r.adjust,
	})
	r.repo = &repository{repo: r.cluster.Repo}
	r.leaders = newLeaders(r.cluster.Nodes, r.begun)
	r.doer = faults.New(faults.Config{
		Cluster: r.cluster, Network: r.network, Git: r.git, Repository: r.repo, Leader: r.leaders.newest,
		Disks: r.disks, WebhookSecret: webhookSecret, Applied: r.applied, Begun: r.begun,
	})
	return r.approveUntil(ctx, harness.StartWithin, r.ready)
}

func policy(e history.Environment) harness.Section {
	p := harness.Section{"StagingTimeout": "00:00:20", "HealthCheckTimeout": "00:00:20", "RequiresApproval": e.Approvers > 0}
	if e.Approvers > 0 {
		p["MinimumApprovers"], p["ForbidAuthorApproval"] = e.Approvers, true
	}
	return p
}

// adjust lets nodes talk in the clear between hosts, and keeps all records: the checks want them.
func (r *round) adjust(n *harness.Node, settings harness.Section) {
	if faults.NeedDisks(r.Kinds) {
		if err := r.disks.Add(n); err != nil {
			r.t.Fatal(err)
		}
	}
	settings["Cluster"].(harness.Section)["Insecure"] = true
	gitops := settings["GitOps"].(harness.Section)
	gitops["HistoryLimit"] = 10_000
	gitops["Webhook"] = harness.Section{"Secret": webhookSecret, "Provider": "github"}
}

// launch starts a node on its own host.
func (r *round) launch(n *harness.Node, command *exec.Cmd) *exec.Cmd {
	command.Env = append(append(os.Environ(), faults.Environment(n)...), planted.Variable+"="+r.Planted)
	return r.network.Command(slices.Index(nodeNames(r.Nodes), n.ID), command)
}

// nodeNames are the ids that the harness gives to nodes.
func nodeNames(count int) (names []string) {
	for i := range count {
		names = append(names, fmt.Sprintf("node%d", i+1))
	}
	return names
}

// rage does faults while clients and pollers are at work.
func (r *round) rage(ctx context.Context) error {
	schedule := plan.Make(plan.Config{Seed: r.Seed, Length: r.Length, Nodes: r.Nodes, Kinds: r.Kinds, Windows: faults.Windows()})
	for i := range schedule {
		schedule[i].At += time.Since(r.begun)
	}
	working, stop := context.WithTimeout(ctx, r.Length)
	defer stop()
	var all sync.WaitGroup
	var errs [2]error
	all.Go(func() { r.leaders.follow(working) })
	all.Go(func() { clients.Poll(working, r.cluster.Nodes, environments(), r.polls, r.begun) })
	all.Go(func() {
		errs[0] = clients.Run(working, clients.Config{
			Nodes: r.cluster.Nodes, Environments: environments(), Repository: r.repo, Calls: r.calls, Begun: r.begun, Seed: r.Seed,
		})
		stop() // the first that fails ends the round
	})
	errs[1] = r.doer.Run(working, schedule)
	all.Wait()
	r.faults = time.Since(r.begun)
	return errors.Join(errs[:]...)
}

// supervise starts nodes again that end by themselves, until unsupervise.
func (r *round) supervise(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- r.doer.Supervise(ctx) }()
	r.unsupervise = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
}

// record writes down what the checks have to know besides the histories.
func (r *round) record(ends []history.End) error {
	err := r.unsupervise()
	for _, n := range r.cluster.Nodes {
		n.Kill() // those that did not end in order
	}
	if err := errors.Join(err, r.disks.Keep()); err != nil {
		return err
	}
	end := history.Round{
		Seed: r.Seed, Environments: environments(), Length: time.Since(r.begun), Faults: r.faults,
		Commits: r.cluster.Repo.Commits(), Rewrites: r.repo.rewrites, Ends: ends, Leaders: r.leaders.list(), Planted: r.Planted,
	}
	for _, n := range r.cluster.Nodes {
		end.Nodes = append(end.Nodes, n.Dir)
	}
	for i, dir := range end.Nodes {
		relative, err := filepath.Rel(r.Dir, dir)
		if err != nil {
			return err
		}
		end.Nodes[i] = relative
	}
	return history.WriteRound(r.Dir, end)
}
