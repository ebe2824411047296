package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/internal/scaffold"
	"github.com/honua-io/honua-gitops/test/gitserver"
)

// repository is the configuration repository of a cluster.
type repository struct {
	repo    *gitserver.Repo
	server  *gitserver.Server
	stage   *stage
	files   map[string]string
	serving string // environment
	added   []string
}

// stage stands in for a test towards the Git server.
type stage struct {
	testing.TB
	cleanups []func()
}

// Helper is a test's.
func (*stage) Helper() {}

// Cleanup is a test's.
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Fatal ends the program: without a repository there is nothing to measure.
func (*stage) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// Fatalf is Fatal with a format.
func (*stage) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (s *stage) end() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

// newRepository makes a repository with the example configuration of one environment, served over HTTP.
func newRepository(dir, environment string) (*repository, error) {
	return newRepositoryOf(dir, environment, func() ([]scaffold.File, error) {
		files, err := scaffold.Files()
		return slices.DeleteFunc(files, func(f scaffold.File) bool {
			return !strings.HasPrefix(f.Path, "environments/"+environment+"/") && !strings.HasPrefix(f.Path, "environments/common/")
		}), err
	})
}

// newRepositoryOf is newRepository with an example of another kind.
func newRepositoryOf(dir, environment string, example func() ([]scaffold.File, error)) (*repository, error) {
	s := &stage{}
	r := &repository{
		stage: s, serving: environment, files: map[string]string{},
		repo: gitserver.NewRepo(s, filepath.Join(dir, "config.git")),
	}
	r.server = gitserver.New(s, dir)
	files, err := example()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		r.files[f.Path] = string(f.Content)
	}
	r.commit("Begin")
	return r, nil
}

func (r *repository) httpURL() string { return r.server.URL + "/config.git" }

func (r *repository) fileURL() string { return "file://" + r.repo.Dir }

func (r *repository) close() { r.stage.end() }

func (r *repository) commit(message string) {
	r.repo.Commit(gitserver.Change{Files: gitserver.Texts(r.files), Message: message})
}

// addLayer commits a catalog with one more layer, besides those added before, the example's, and a number of others.
// None is ever taken away: that would need approval.
func (r *repository) addLayer(others int, name string) {
	r.added = append(r.added, name)
	ids := append([]string{"cities"}, r.added...)
	for i := range others {
		ids = append(ids, fmt.Sprintf("layer-%05d", i))
	}
	layers := make([]string, len(ids))
	for i, id := range ids {
		layers[i] = fmt.Sprintf(layerText, id)
	}
	r.files["environments/"+r.serving+"/metadata.json"] = `{"services":[{"id":"gis-service","title":"GIS Service","layers":[` + strings.Join(layers, ",\n") + "]}]}\n"
	r.commit("Add " + name)
}

// layerText is a layer of the size that layers in use have, about 600 bytes.
const layerText = `{
  "id": "%[1]s",
  "title": "Settlements of %[1]s",
  "description": "Settlements with their population and the country in which they are, as of the last census of each country. The figures are those that the statistical offices publish, without corrections; boundaries follow the national mapping agencies. Not for navigation.",
  "datasource": "files",
  "table": "cities",
  "geometryColumn": "geometry",
  "geometryType": "Point",
  "srid": 4326,
  "properties": [
    { "name": "name", "type": "string" },
    { "name": "population", "type": "integer" },
    { "name": "country", "type": "string" }
  ]
}`
