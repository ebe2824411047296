//go:build system

package system

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/cluster"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/faults"
	"github.com/honua-io/honua-gitops/test/gitserver"
	"github.com/honua-io/honua-gitops/test/harness"
)

var (
	corruptions    = flag.Int("corruptions", 0, "how many files TestCorruptions damages; 0 is one of each kind")
	corruptionSeed = flag.Uint64("corruption-seed", uint64(time.Now().UnixNano()), "where its randomness comes from")
)

// kept is a kind of file that a node keeps.
type kept struct {
	name string
	// where is a pattern below the node's folder; of a directory it is all files in it.
	where string
	// ends: a node may refuse to run with it, and says so with this text and the remedy.
	ends, remedy string
	// hidden: damage of it may be met long after the start.
	hidden bool
}

// Kinds of files that a node has only after some time.
const (
	mirror = "cluster/mirror"
	peers  = "cluster/peers.json"
)

// What a node asks for: most of its data directory is of use only as a whole.
const (
	joinAnew = "move the data directory away and let this node join anew"
	deleteIt = "delete it"
)

func everyKind() []kept {
	return []kept{
		{name: "the raft log", where: "cluster/raft.db", ends: "raft.db", remedy: joinAnew, hidden: true},
		{name: "a snapshot", where: "cluster/snapshots/*/state.bin", ends: "snapshots", remedy: joinAnew, hidden: true},
		{name: "a snapshot's description", where: "cluster/snapshots/*/meta.json", ends: "snapshots", remedy: joinAnew, hidden: true},
		{name: "a snapshot's checksum", where: "cluster/snapshots/*/meta.sha256", ends: "snapshots", remedy: joinAnew, hidden: true},
		{name: "a content", where: "cluster/bundles/*.bundle"},
		{name: "the journal", where: "cluster/journal.jsonl", ends: "journal.jsonl", remedy: joinAnew},
		{name: "the incarnation", where: "cluster/incarnation", ends: "incarnation", remedy: joinAnew},
		{name: "what is known of peers", where: peers},
		{name: "the entries to skip", where: "cluster/skip.json", ends: "skip.json", remedy: deleteIt},
		{name: "the mirror", where: mirror},
		{name: "a state file", where: "state/*.json"},
		{name: "an approval file", where: "approvals/*.json"},
	}
}

// files are those of the kind that a node has now, and that have something in them.
func (k kept) files(n *harness.Node) (all []string) {
	found, _ := filepath.Glob(filepath.Join(n.Dir, k.where)) // the pattern is right
	for _, path := range found {
		_ = filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				if info, err := entry.Info(); err == nil && info.Size() > 0 {
					all = append(all, path)
				}
			}
			return nil // what is gone meanwhile is none of the files
		})
	}
	return all
}

// rot is a cluster whose files are damaged, one node's after the other's.
type rot struct {
	*harness.Cluster
	t       *testing.T
	random  *rand.Rand
	reasons []string
	counts  map[string]int
}

// One file after the other, of one node after the other, comes back from its disk as another one, while the others
// go on. Whatever it is, the node repairs it, or refuses to run, names the file and says what to do, which helps; or
// it was of no effect. No node ever serves what was not activated (I6), nothing acknowledged is lost or done twice
// (I3), and states are equal whenever the cluster is at rest (I11).
func TestCorruptions(t *testing.T) {
	t.Parallel()
	t.Logf("-corruption-seed=%d", *corruptionSeed)
	r := &rot{t: t, random: rand.New(rand.NewPCG(*corruptionSeed, 0)), counts: map[string]int{}}
	r.Cluster = harness.Start(t, harness.Options{
		Nodes: 5, Environments: []string{development, "production"}, Unready: true,
		Program:  buildFor(t, t.TempDir(), "honua", "-tags", "chaos", "github.com/honua-io/honua-gitops/cmd/honua"), // snapshots come often
		Policies: map[string]harness.Section{"production": {"RequiresApproval": true}},
		RepositoryOf: func(dir string) string { // over HTTP: of a folder no mirror is needed
			return gitserver.New(t, filepath.Dir(dir)).URL + "/" + filepath.Base(dir)
		},
		Adjust: func(n *harness.Node, s harness.Section) {
			gitops := s["GitOps"].(harness.Section)
			gitops["ApprovalDirectory"] = filepath.Join(n.Dir, "approvals")
			gitops["HistoryLimit"] = 10_000 // what is served is compared with all that was activated
		},
	})
	r.begin()
	observer := harness.Observe(t.Context(), development, r.Nodes...)
	kinds := everyKind()
	for i := range max(*corruptions, len(kinds)) {
		if i%len(kinds) == 0 {
			r.random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		}
		r.damage(kinds[i%len(kinds)])
	}
	served, _, _ := observer.Stop()
	r.end(served)
}

// begin makes every kind of file on every node.
func (r *rot) begin() {
	r.t.Helper()
	harness.Eventually(r.t, harness.StartWithin, func() error {
		list, err := r.Deployments("production")
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("nothing of production awaits approval")
		}
		for _, d := range list {
			_, err = r.Client().Deployments().ApproveDeployment(r.t.Context(), &pb.ApproveDeploymentRequest{Id: d.GetId(), Approver: "gina"})
		}
		return err
	})
	r.AwaitReady()
	for _, n := range r.Nodes {
		must(r.t, skipNothing(n))
	}
	harness.Eventually(r.t, harness.DeployWithin, func() error {
		r.write(40)
		for _, n := range r.Nodes {
			for _, k := range everyKind() {
				if len(k.files(n)) == 0 && k.where != mirror && k.where != peers {
					return fmt.Errorf("%s has no file that is %s", n.ID, k.name)
				}
			}
		}
		return nil
	})
}

// write changes something, and notes that it was acknowledged.
func (r *rot) write(n int) {
	r.t.Helper()
	for range n {
		reason := fmt.Sprintf("write %d", len(r.reasons))
		_, err := r.Client().Environments().PauseEnvironment(r.t.Context(), &pb.PauseEnvironmentRequest{Environment: "production", Reason: reason})
		must(r.t, err)
		r.reasons = append(r.reasons, reason)
	}
}

// damage damages a file of a kind on a node, and sees what comes of it.
func (r *rot) damage(k kept) {
	if k.where == mirror { // a leader has one once there was something to fetch
		r.AwaitServed(development, r.Repo.SetTitle(development, fmt.Sprintf("for a mirror, after %d writes", len(r.reasons))))
	}
	n, path := r.victim(k)
	if r.random.IntN(2) == 0 {
		n.Kill()
	} else {
		n.Stop()
	}
	how := faults.Damages()[r.random.IntN(len(faults.Damages()))]
	did, err := faults.Spoil(path, how, r.random)
	must(r.t, err)
	what := fmt.Sprintf("%s, %s: %s", n.ID, strings.TrimPrefix(path, n.Dir+"/"), did)
	r.write(3)
	if r.random.IntN(3) == 0 {
		servedBy(r.t, r.Cluster, r.Repo.SetTitle(development, "without "+what), r.Others(n)...)
	}
	before := len(n.Log())
	n.Start()
	outcome := "had no effect that was seen"
	if r.settles(n, what) {
		r.AwaitEqualStates()
	}
	said := n.Log()[before:]
	switch {
	case !n.Running():
		outcome = "was refused"
		r.refused(n, k, path, what, said)
	case k.ends != "" && strings.Contains(said, "damaged"), strings.Contains(said, strings.TrimSuffix(filepath.Base(path), ".bundle")):
		outcome = "was repaired"
	case k.hidden: // it may be met later, and taken for another damage
		n.Stop()
		r.joinsAnew(n)
	}
	r.t.Logf("%s: %s", what, outcome)
	r.counts[k.name+" "+outcome]++
	r.AwaitEqualStates()
	must(r.t, r.ready(n))
}

// victim is a node that the others can do without, and a file of a kind that it has. What nodes know of their peers
// they write every half a minute only.
func (r *rot) victim(k kept) (n *harness.Node, path string) {
	r.t.Helper()
	harness.Eventually(r.t, harness.StartWithin, func() error {
		expendable, err := r.expendable()
		if err != nil {
			return err
		}
		for _, i := range r.random.Perm(len(expendable)) {
			if files := k.files(expendable[i]); len(files) > 0 {
				n, path = expendable[i], files[r.random.IntN(len(files))]
				return nil
			}
		}
		return fmt.Errorf("no node that can be done without has a file that is %s", k.name)
	})
	return n, path
}

// expendable are the nodes without which there still is a quorum.
func (r *rot) expendable() (nodes []*harness.Node, err error) {
	leader, err := r.FindLeader(r.t.Context())
	if err != nil {
		return nil, err
	}
	status, err := leader.Status(r.t.Context())
	if err != nil {
		return nil, err
	}
	voters := 0
	for _, s := range status.GetServers() {
		if s.GetVoter() {
			voters++
		}
	}
	for _, s := range status.GetServers() {
		if !s.GetVoter() || voters >= 3 {
			nodes = append(nodes, r.Node(s.GetId()))
		}
	}
	return nodes, nil
}

// settles waits until a node is ready or has ended, and reports whether it is ready.
func (r *rot) settles(n *harness.Node, what string) bool {
	r.t.Helper()
	if err := harness.Await(r.t.Context(), harness.StartWithin, func() error {
		if !n.Running() {
			return nil
		}
		return r.ready(n)
	}); err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
	return n.Running()
}

// ready reports nil if a node says that it is, and serves what is active.
func (r *rot) ready(n *harness.Node) error {
	if err := n.Ready(r.t.Context()); err != nil {
		return err
	}
	for _, name := range r.Environments {
		e, err := r.Environment(name)
		if err != nil {
			return err
		}
		if err := n.Serves(name, e.GetActiveDigest()); err != nil {
			return err
		}
	}
	return nil
}

// refused checks what a node said that ended, and does what it asks for.
func (r *rot) refused(n *harness.Node, k kept, path, what, said string) {
	r.t.Helper()
	if k.ends == "" || !strings.Contains(said, k.ends) || !strings.Contains(said, k.remedy) {
		r.t.Errorf("%s: the node ended and does not say %q and what to do (%q):\n%s", what, k.ends, k.remedy, said[max(0, len(said)-2000):])
	}
	if k.remedy == deleteIt {
		must(r.t, os.Remove(path))
		n.Start()
		harness.Eventually(r.t, harness.StartWithin, func() error { return r.ready(n) })
		must(r.t, skipNothing(n))
		return
	}
	r.joinsAnew(n)
}

// skipNothing gives a node an entry to skip that will never be.
func skipNothing(n *harness.Node) error {
	return cluster.Skip(filepath.Join(n.Dir, "cluster"), "18446744073709551615:"+strings.Repeat("0", 64))
}

// joinsAnew takes a node's data away and has it come back.
func (r *rot) joinsAnew(n *harness.Node) {
	r.t.Helper()
	data := filepath.Join(n.Dir, "cluster")
	must(r.t, os.Rename(data, data+".damaged"))
	must(r.t, os.RemoveAll(data+".damaged"))
	n.Start()
	harness.Eventually(r.t, harness.StartWithin, func() error { return r.ready(n) })
	must(r.t, skipNothing(n))
}

// end checks everything, once all is well again.
func (r *rot) end(served []string) {
	r.t.Helper()
	for _, what := range slices.Sorted(maps.Keys(r.counts)) {
		r.t.Logf("%5d  %s", r.counts[what], what)
	}
	r.AwaitServed(development, r.Repo.SetTitle(development, "after all of it"))
	r.AwaitEqualStates()
	found := recorded(r.t, r.Cluster)
	for _, reason := range r.reasons {
		if found[reason] != 1 {
			r.t.Errorf("I3: %q was acknowledged and is recorded %d times", reason, found[reason])
		}
	}
	r.t.Logf("%d acknowledged writes", len(r.reasons))
	r.CheckServed(development, served)
	r.CLI("audit", "verify").Expect(r.t, 0)
	r.CheckJournals(development)
	r.CheckDeployments(development)
}
