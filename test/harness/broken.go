package harness

import "testing"

// Broken is a way to commit something that must never be served.
type Broken struct {
	Name string
	// Write makes the change in the working tree.
	Write func(r *Repo, environment string)
	// Says are parts of the error: file with line, field and reason.
	Says []string
}

// BrokenCommits are the ways in which a commit is refused.
func BrokenCommits(t testing.TB) []Broken {
	t.Helper()
	return []Broken{
		{
			Name: "broken JSON",
			Write: func(r *Repo, environment string) {
				r.Write("environments/"+environment+"/metadata.json", "{\n  \"services\": [\n    { \"id\": \"gis-service\",, }\n  ]\n}\n")
			},
			Says: []string{"metadata.json:3:", "Invalid JSON"},
		},
		{
			Name: "duplicate id",
			Write: func(r *Repo, environment string) {
				r.WriteMetadata(environment, Layer{ID: "Cities", Title: "The same again", Source: "files"})
			},
			Says: []string{"metadata.json:", "layers[", ".id", "Cities"},
		},
		{
			Name: "dangling data source",
			Write: func(r *Repo, environment string) {
				r.WriteMetadata(environment, Layer{ID: "rivers", Title: "Rivers", Source: "no-such-source"})
			},
			Says: []string{"metadata.json:", ".datasource", "no-such-source"},
		},
		{
			Name:  "missing GeoJSON file",
			Write: func(r *Repo, environment string) { r.WriteSources(environment, "no-such-file.geojson") },
			Says:  []string{"datasources.json:", "connectionString", "no-such-file.geojson"},
		},
	}
}

// Mend makes an environment's configuration valid again, without committing.
func (r *Repo) Mend(environment string) {
	r.t.Helper()
	r.WriteMetadata(environment)
	r.WriteSources(environment, "cities.geojson")
}
