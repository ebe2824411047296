package catalog

import "encoding/json"

// File is one file of a bundle: a slash-separated path from the repository's root and its bytes.
type File struct {
	Path    string
	Content []byte
}

// FileDigest is a file that has no meaning of its own here: only a change of its content is seen.
type FileDigest struct {
	Path   string
	SHA256 string // lower-case hex
}

// Model is what an environment's files mean. It is immutable once parsed: share it, never change it.
type Model struct {
	Environment string
	Services    []Service    // in the order of metadata.json
	DataSources []DataSource // of the environment, then shared ones not overridden
	Settings    Settings     // from appsettings.json over shared-config.json
	Files       []FileDigest // every file that is not read into the fields above, sorted by path
	// Extra are the properties at the top of a file that this version does not know, by path and name.
	Extra map[string]map[string]json.RawMessage
}

// Service is a named group of layers.
type Service struct {
	ID, Title, Description string
	Layers                 []Layer
	Extra                  map[string]json.RawMessage // properties this version does not know, as written
	Pos                    Position
}

// Layer is one collection of features.
type Layer struct {
	ID, Title, Description string
	DataSource             string // id as the data source itself spells it
	Table                  string // table or schema.table; for GeoJSON the file's collection, may be empty
	GeometryColumn         string
	GeometryType           string // as in GeometryTypes, in their spelling
	SRID                   int    // EPSG code, positive
	Properties             []Property
	IDColumn               string    // empty: the source's primary key
	BBox                   []float64 // nil, or 4 (minx miny maxx maxy) or 6 numbers
	Extra                  map[string]json.RawMessage
	Service                string // id of the owning service
	Pos                    Position
}

// Property is a column that features show. Type is one of PropertyTypes.
type Property struct {
	Name, Type string
	Extra      map[string]json.RawMessage
}

// DataSource is where layers read from.
type DataSource struct {
	ID, Type         string
	ConnectionString string // unexpanded: ${NAME} and ${file:PATH} stand as written
	Description      string
	Shared           bool     // it comes from shared-config.json
	Overrides        Position // where shared-config.json defines the same id; zero if it does not
	Extra            map[string]json.RawMessage
	Pos              Position
}

// Layer returns the layer with the id, compared case-insensitively.
func (m *Model) Layer(id string) (Layer, bool) {
	for _, service := range m.Services {
		for _, layer := range service.Layers {
			if fold(layer.ID) == fold(id) {
				return layer, true
			}
		}
	}
	return Layer{}, false
}

// DataSource returns the data source with the id, compared case-insensitively.
func (m *Model) DataSource(id string) (DataSource, bool) {
	for _, source := range m.DataSources {
		if fold(source.ID) == fold(id) {
			return source, true
		}
	}
	return DataSource{}, false
}

// LayerCount is the number of layers of all services.
func (m *Model) LayerCount() int {
	count := 0
	for i := range m.Services {
		count += len(m.Services[i].Layers)
	}
	return count
}
