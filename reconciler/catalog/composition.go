package catalog

import (
	"maps"
	"slices"
	"time"
)

// Origin says which of the layers of configuration a value comes from. Each overrides the one below it.
type Origin string

// The origins, the strongest first.
const (
	FromEnvironment Origin = "environment" // a file of environments/<environment>/
	FromShared      Origin = "shared"      // environments/common/shared-config.json
	FromDefault     Origin = "default"     // nobody said anything
)

// Composition is what the files of an environment and the shared one come to together, and where each part of it
// comes from. Connection strings are not in it: they may hold secrets.
type Composition struct {
	Settings    []ComposedSetting    // sorted by name
	DataSources []ComposedDataSource // of the environment, then shared ones not overridden
}

// ComposedSetting is one setting in force.
type ComposedSetting struct {
	Name   string // like Ogc.MaxLimit
	Value  any    // as it would be written in JSON; durations are seconds
	Origin Origin
	Source Position // where it was said; zero for a default
	// Overrides is where a weaker layer says something else of it; zero if none does.
	Overrides Position
}

// ComposedDataSource is one data source that layers can name.
type ComposedDataSource struct {
	ID, Type  string
	Origin    Origin
	Source    Position
	Overrides Position // the shared definition that it replaces; zero if there is none
}

// Compose reads the settings and data sources of an environment. It does not look at metadata.json; what is wrong with
// the files is for Parse to say, here it is left out.
func Compose(environment string, files []File) Composition {
	p := newParser(environment)
	p.index(files)
	p.readDataSources()
	p.readSettings()
	return p.model.Composition()
}

// Composition is what the model's settings and data sources are and where they come from.
func (m *Model) Composition() Composition {
	var c Composition
	values := m.Settings.values()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		source := m.Settings.Sources[name]
		c.Settings = append(c.Settings, ComposedSetting{
			Name: name, Value: values[name], Origin: originOf(source), Source: source, Overrides: m.Settings.Overridden[name],
		})
	}
	for i := range m.DataSources {
		s := &m.DataSources[i]
		c.DataSources = append(c.DataSources, ComposedDataSource{
			ID: s.ID, Type: s.Type, Origin: originOf(s.Pos), Source: s.Pos, Overrides: s.Overrides,
		})
	}
	return c
}

func originOf(source Position) Origin {
	switch source.File {
	case "":
		return FromDefault
	case SharedConfigPath:
		return FromShared
	}
	return FromEnvironment
}

// values are all settings by name, as they would be written in JSON.
func (s Settings) values() map[string]any {
	values := map[string]any{
		"Ogc.DefaultLimit":              s.Ogc.DefaultLimit,
		"Ogc.MaxLimit":                  s.Ogc.MaxLimit,
		"Cors.Enabled":                  s.Cors.Enabled,
		"Cors.AllowedOrigins":           listed(s.Cors.AllowedOrigins),
		"Cors.AllowedMethods":           listed(s.Cors.AllowedMethods),
		"Cors.AllowedHeaders":           listed(s.Cors.AllowedHeaders),
		"Cors.ExposedHeaders":           listed(s.Cors.ExposedHeaders),
		"Cors.AllowCredentials":         s.Cors.AllowCredentials,
		"Cors.MaxAgeSeconds":            int(s.Cors.MaxAge / time.Second),
		"ResponseCaching.Enabled":       s.ResponseCaching.Enabled,
		"ResponseCaching.MaxAgeSeconds": int(s.ResponseCaching.MaxAge / time.Second),
		"ResponseCaching.Public":        s.ResponseCaching.Public,
	}
	for name, value := range s.Extra {
		values[name] = value
	}
	for name, value := range s.Ogc.Extra {
		values["Ogc."+name] = value
	}
	for name, value := range s.Cors.Extra {
		values["Cors."+name] = value
	}
	for name, value := range s.ResponseCaching.Extra {
		values["ResponseCaching."+name] = value
	}
	return values
}

// listed is never null in JSON.
func listed(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
