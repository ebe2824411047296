package harness

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Layer is one layer of a test configuration.
type Layer struct {
	ID, Title, Source string
}

// Repo is an ordinary Git working tree with a configuration, changed with the git program. Its methods may be used by
// one goroutine at a time.
type Repo struct {
	Dir string

	t      testing.TB
	layers map[string][]Layer
	mu     sync.Mutex
	// commits are the names of all commits made here, the oldest first.
	commits []string
}

// Author is who all commits of a Repo are by.
const Author = "Ada Lovelace"

// NewRepo makes a repository with a valid configuration of each environment: one layer, cities.
func NewRepo(t testing.TB, dir string, environments ...string) *Repo {
	t.Helper()
	r := &Repo{Dir: dir, t: t, layers: map[string][]Layer{}}
	r.must(os.MkdirAll(dir, 0o755))
	r.Git("init", "-q", "-b", "main")
	r.Write("README.md", "A configuration for tests.\n")
	for _, environment := range environments {
		r.layers[environment] = []Layer{{ID: "cities", Title: "World Cities", Source: "files"}}
		r.WriteMetadata(environment)
		r.WriteSources(environment, "cities.geojson")
	}
	r.Commit("Begin")
	return r
}

// Git runs git in the working tree and returns what it prints.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	command := exec.Command("git", args...)
	command.Dir = r.Dir
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME="+Author, "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME="+Author, "GIT_COMMITTER_EMAIL=ada@example.com")
	out, err := command.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Write puts a file into the working tree.
func (r *Repo) Write(path, content string) {
	r.t.Helper()
	path = filepath.Join(r.Dir, filepath.FromSlash(path))
	r.must(os.MkdirAll(filepath.Dir(path), 0o755))
	r.must(os.WriteFile(path, []byte(content), 0o644))
}

// Commit commits everything in the working tree and returns the commit.
func (r *Repo) Commit(message string) string {
	r.t.Helper()
	r.Git("add", "-A")
	r.Git("commit", "-q", "--allow-empty", "-m", message)
	commit := r.Git("rev-parse", "HEAD")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits = append(r.commits, commit)
	return commit
}

// Commits are all commits made here, the oldest first.
func (r *Repo) Commits() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.commits)
}

// AddLayer commits one more layer of the cities.
func (r *Repo) AddLayer(environment, id string) string {
	r.t.Helper()
	r.layers[environment] = append(r.layers[environment], Layer{ID: id, Title: "Layer " + id, Source: "files"})
	r.WriteMetadata(environment)
	return r.Commit("Add layer " + id)
}

// SetTitle commits another title of the first layer: a change of content that keeps its size.
func (r *Repo) SetTitle(environment, title string) string {
	r.t.Helper()
	r.layers[environment][0].Title = title
	r.WriteMetadata(environment)
	return r.Commit("Call it " + title)
}

// Layers are the ids of an environment's layers.
func (r *Repo) Layers(environment string) []string {
	var ids []string
	for _, layer := range r.layers[environment] {
		ids = append(ids, layer.ID)
	}
	return ids
}

// WriteMetadata writes an environment's layers, and more, without committing.
func (r *Repo) WriteMetadata(environment string, more ...Layer) {
	r.t.Helper()
	layers := []map[string]any{}
	for _, layer := range slices.Concat(r.layers[environment], more) {
		layers = append(layers, map[string]any{
			"id": layer.ID, "title": layer.Title, "datasource": layer.Source, "table": "cities",
			"geometryColumn": "geometry", "geometryType": "Point", "srid": 4326,
			"properties": []map[string]string{{"name": "name", "type": "string"}, {"name": "population", "type": "integer"}},
		})
	}
	r.writeJSON("environments/"+environment+"/metadata.json", map[string]any{
		"services": []map[string]any{{"id": "gis-service", "title": "GIS Service", "layers": layers}},
	})
}

// WriteSources writes an environment's one data source, without committing.
func (r *Repo) WriteSources(environment, file string) {
	r.t.Helper()
	r.writeJSON("environments/"+environment+"/datasources.json", map[string]any{
		"datasources": []map[string]string{{"id": "files", "type": "GeoJSON", "connectionString": file}},
	})
}

func (r *Repo) writeJSON(path string, value any) {
	r.t.Helper()
	content, err := json.MarshalIndent(value, "", "  ")
	r.must(err)
	r.Write(path, string(content)+"\n")
}

func (r *Repo) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Hide moves the repository away, where commits can go on; back brings it back.
func (r *Repo) Hide() (back func()) {
	r.t.Helper()
	place, hidden := r.Dir, r.Dir+".hidden"
	r.must(os.Rename(place, hidden))
	r.Dir = hidden
	return func() {
		r.t.Helper()
		r.must(os.Rename(hidden, place))
		r.Dir = place
	}
}

// Empty puts a repository without a single commit in the place of this one; fill brings it back.
func (r *Repo) Empty() (fill func()) {
	r.t.Helper()
	place, kept := filepath.Join(r.Dir, ".git"), r.Dir+".git.kept"
	r.must(os.Rename(place, kept))
	r.Git("init", "-q", "-b", "main")
	return func() {
		r.t.Helper()
		r.must(os.RemoveAll(place))
		r.must(os.Rename(kept, place))
	}
}
