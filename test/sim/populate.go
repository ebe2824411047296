package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"google.golang.org/protobuf/proto"
)

// settingsFile is the cluster-wide settings as a node's own file has them.
type settingsFile struct {
	settings *pb.SettingsValue
	value    []byte
	digest   string
}

// people are who writes commits, and who decides on them. Some do both.
var people = [...]string{"ana", "bob", "cyd", "dan"}

// populate sets the scene: nodes, repository, callers and what disturbs them.
func (w *world) populate() {
	w.populateGit()
	file := w.newSettings()
	count := 3
	if w.chance(0.15) {
		count = 5
	}
	for i := range count {
		n := w.addNode(fmt.Sprintf("node%d", i+1), file)
		n.member, n.voter = true, true
		w.after(w.between(0, 400), n.start)
	}
	w.nodes[w.random.IntN(count)].strict = w.chance(0.6)
	w.nodes[w.random.IntN(count)].viewer = w.chance(viewers)
	for _, name := range people[:3] {
		c := &caller{w: w, identity: name}
		w.callers = append(w.callers, c)
		w.after(w.between(800, 2500), c.act)
	}
	w.after(w.between(800, 3000), w.disturb)
	w.after(w.between(1000, 3000), w.push)
	w.upgrades()
	w.elect()
	w.after(w.between(1000, 3000), w.looks)
}

func (w *world) addNode(id string, file *settingsFile) *node {
	n := &node{w: w, id: id, incarnation: id + "-0", format: newest, unreachable: map[string]int64{}, settingsFile: file}
	n.disk = newDisk(n)
	w.nodes = append(w.nodes, n)
	return n
}

// populateGit makes the branches, and decides what nodes make of the contents.
func (w *world) populateGit() {
	for _, name := range environmentNames {
		for _, v := range w.library.variants[name] {
			nature := nature{}
			switch {
			case w.chance(0.12):
				nature.rejects = fmt.Sprintf("node%d", w.between(1, 3))
			case w.chance(0.18):
				nature.fails = fmt.Sprintf("node%d", w.between(1, 3))
			}
			w.natures[v.digest] = nature
		}
	}
	first := w.git.add(-1, people[0], w.newContent(nil))
	w.git.branches["main"] = &branch{name: "main", head: first}
	if w.chance(0.3) {
		w.git.branches["develop"] = &branch{name: "develop", head: first}
	}
	w.pushed(w.git.branches["main"], "first commit")
}

// newContent is a content in which one or all environments are other ones.
func (w *world) newContent(old map[string]*variant) map[string]*variant {
	next := map[string]*variant{}
	for _, name := range environmentNames {
		next[name] = old[name]
		if old == nil || w.chance(0.6) {
			next[name] = pick(w, w.library.variants[name])
		}
	}
	return next
}

// newSettings draws the settings of a cluster.
func (w *world) newSettings() *settingsFile {
	s := &pb.SettingsValue{RepositoryUrl: "file:///repository", PollIntervalMs: w.between(3000, 12_000)}
	s.DryRun = w.chance(0.04)
	if w.chance(0.3) {
		s.HistoryLimit = uint32(w.between(4, 10))
	}
	s.Identities = map[string]string{"cyd@example.org": "dan"}
	for i, name := range environmentNames {
		branch := "main"
		if i > 0 && w.git.branches["develop"] != nil {
			branch = "develop"
		}
		if i > 0 && w.chance(0.3) {
			break
		}
		s.Environments = append(s.Environments, &pb.EnvironmentValue{Name: name, Branch: branch, Policy: pick(w, w.library.policies)})
	}
	return w.settingsOf(s)
}

func (w *world) settingsOf(s *pb.SettingsValue) *settingsFile {
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(s)
	if err != nil {
		w.broken("driver", "%v", err)
	}
	return &settingsFile{settings: s, value: value, digest: bundle.Digest(value)}
}

// changedSettings are the settings with another policy here and there.
func (w *world) changedSettings(old *pb.SettingsValue) *pb.SettingsValue {
	next := proto.CloneOf(old)
	next.DryRun = false
	for _, e := range next.GetEnvironments() {
		if w.chance(0.6) {
			e.Policy = pick(w, w.library.policies)
		}
	}
	w.changeEnvironments(next)
	return next
}

// changeEnvironments moves the last environment to another branch, takes it
// away or brings it back.
func (w *world) changeEnvironments(s *pb.SettingsValue) {
	last := environmentNames[len(environmentNames)-1]
	branch := pick(w, slices.Sorted(maps.Keys(w.git.branches)))
	switch list := s.GetEnvironments(); {
	case len(list) == len(environmentNames) && w.chance(0.1):
		s.Environments = list[:len(list)-1]
	case len(list) == len(environmentNames) && w.chance(0.3):
		list[len(list)-1].Branch = branch
	case len(list) < len(environmentNames) && w.chance(0.3):
		s.Environments = append(list, &pb.EnvironmentValue{Name: last, Branch: branch, Policy: pick(w, w.library.policies)})
	}
}

func (w *world) initCluster() *pb.Payload {
	file := w.nodes[0].settingsFile
	return &pb.Payload{Command: &pb.Payload_InitCluster{InitCluster: &pb.InitCluster{
		ClusterId: "sim", ClusterName: "sim", Settings: file.settings, SettingsDigest: file.digest,
	}}}
}
