package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// SharedConfigPath is the file whose data sources and settings every environment inherits.
const SharedConfigPath = "environments/common/shared-config.json"

// MetadataPath is the file with an environment's services and layers.
func MetadataPath(environment string) string { return "environments/" + environment + "/metadata.json" }

// DataSourcesPath is the file with an environment's data sources.
func DataSourcesPath(environment string) string {
	return "environments/" + environment + "/datasources.json"
}

// AppSettingsPath is the file with an environment's server settings.
func AppSettingsPath(environment string) string {
	return "environments/" + environment + "/appsettings.json"
}

// Parse reads what the files mean for an environment and returns all problems at once, sorted by file and place (the
// first 1,000 errors and the first 1,000 warnings; the rest is counted). The Model is nil exactly when a problem is an
// Error. A file that is no strict JSON has one problem, the first; what depends on it is not reported as well.
//
// Required are: the file metadata.json with "services"; of a service id, title, layers; of a layer id, title,
// datasource, geometryType, srid, and, unless its data source is GeoJSON, table and geometryColumn; of a property name
// and type; of a data source id, type, connectionString.
func Parse(environment string, files []File) (*Model, []Problem) {
	p := newParser(environment)
	p.index(files)
	p.readDataSources()
	p.readSettings()
	p.readMetadata()
	problems := p.problems.sorted()
	if HasErrors(problems) {
		return nil, problems
	}
	return p.model, problems
}

// parser is the state of one Parse.
type parser struct {
	model    *Model
	files    map[string]File
	problems problems

	sources  map[string]int // index in model.DataSources, by folded id
	complete bool           // every file that may define data sources could be read
	services map[string]Position
	layers   map[string]Position
	names    map[string]string // column names, which repeat from layer to layer, stored once
	missing  bool              // the absence of datasources.json has been reported
}

func newParser(environment string) *parser {
	return &parser{
		model:    &Model{Environment: environment, Settings: DefaultSettings()},
		files:    map[string]File{},
		sources:  map[string]int{},
		services: map[string]Position{},
		layers:   map[string]Position{},
		names:    map[string]string{},
		complete: true,
	}
}

// index sorts the files into those with a meaning and those of which only the digest counts.
func (p *parser) index(files []File) {
	for _, file := range files {
		if _, twice := p.files[file.Path]; twice {
			p.problems.add(Problem{Position: Position{File: file.Path}, Message: "the file is given twice", Code: CodeInvalid})
		}
		p.files[file.Path] = file
	}
	environment := p.model.Environment
	for path, file := range p.files {
		switch path {
		case MetadataPath(environment), DataSourcesPath(environment), AppSettingsPath(environment), SharedConfigPath:
		default:
			sum := sha256.Sum256(file.Content)
			p.model.Files = append(p.model.Files, FileDigest{Path: path, SHA256: hex.EncodeToString(sum[:])})
		}
	}
	slices.SortFunc(p.model.Files, func(a, b FileDigest) int { return strings.Compare(a.Path, b.Path) })
}

// open reads one of the files; ok is false if it is absent or no JSON.
func (p *parser) open(path string) (root value, present, ok bool) {
	file, present := p.files[path]
	if !present {
		return value{}, false, false
	}
	doc, ok := load(file, &p.problems)
	if !ok {
		return value{}, true, false
	}
	return doc.root(), true, true
}

// extra keeps an unknown property at the top of a file.
func (p *parser) extra(v value, known ...string) {
	if p.model.Extra == nil {
		p.model.Extra = map[string]map[string]json.RawMessage{}
	}
	p.model.Extra[v.doc.file] = v.keep(p.model.Extra[v.doc.file], known...)
}

// clean reports whether there is no error yet. From the first one on no model is built, only problems are looked for.
func (p *parser) clean() bool { return p.problems.counts[Error] == 0 }

// intern is the string of b, stored once.
func (p *parser) intern(b string) string {
	if known, ok := p.names[b]; ok {
		return known
	}
	p.names[b] = b
	return b
}
