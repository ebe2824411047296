package sim

import (
	"encoding/json"
	"path/filepath"
	"slices"
)

// viewers is how often a run has a node that writes the files for people: they
// cost more than the rest of it.
const viewers = 0.06

// show lets the product write its views, on the node of a run that does.
func (n *node) show() {
	if n.viewer && n.half.ShowViews(n.w.ctx, n.state) {
		n.after(150, n.follow)
	}
}

// shownRightly: the files for people say what the state says.
func (w *world) shownRightly(n *node) {
	for env := range n.state.Environments() {
		file := n.disk.names[filepath.Join(stateFolder, env.Name+".json")]
		if file == nil {
			w.broken("views", "%s has no file of %s", n.id, env.Name)
		}
		var view struct {
			DeployedCommit string
			History        []struct{ ID string }
		}
		if err := json.Unmarshal(file.data, &view); err != nil {
			w.broken("views", "the file of %s on %s: %v", env.Name, n.id, err)
		}
		var ids []string
		for d := range n.state.Deployments(env.Name) {
			ids = append(ids, d.ID)
		}
		commit := ""
		if env.Active != nil {
			commit = env.Active.Commit
		}
		if view.DeployedCommit != commit || len(view.History) != min(len(ids), 50) ||
			!slices.EqualFunc(view.History, ids[:len(view.History)], func(h struct{ ID string }, id string) bool { return h.ID == id }) {
			w.broken("views", "the file of %s on %s shows another state", env.Name, n.id)
		}
	}
}
