package catalog

import (
	"path"
	"path/filepath"
	"strings"
)

// readDataSources reads the environment's data sources, then the shared ones that it does not override.
func (p *parser) readDataSources() {
	if root, present, ok := p.open(DataSourcesPath(p.model.Environment)); ok {
		root.require("datasources")
		taken := map[string]Position{}
		for name, v := range root.members() {
			if string(name) == "datasources" {
				p.dataSources(v, taken, false)
				continue
			}
			p.extra(v, "datasources")
		}
	} else if present {
		p.complete = false
	}
	root, present, ok := p.open(SharedConfigPath)
	if !ok {
		p.complete = p.complete && !present
		return
	}
	taken := map[string]Position{}
	for name, v := range root.members() {
		switch string(name) {
		case "datasources":
			p.dataSources(v, taken, true)
		case "settings":
			p.settings(v)
		default:
			p.extra(v, "datasources", "settings")
		}
	}
}

func (p *parser) dataSources(list value, taken map[string]Position, shared bool) {
	for v := range list.elements() {
		source := p.dataSource(v, taken)
		if source.ID == "" {
			p.complete = p.complete && v.kind() == kindObject && !v.has("id")
			continue
		}
		if index, overridden := p.sources[fold(source.ID)]; overridden {
			if own := &p.model.DataSources[index]; shared && !own.Shared {
				own.Overrides = source.Pos
			}
			continue
		}
		source.Shared = shared
		p.sources[fold(source.ID)] = len(p.model.DataSources)
		p.model.DataSources = append(p.model.DataSources, source)
	}
}

func (p *parser) dataSource(v value, taken map[string]Position) DataSource {
	s := DataSource{Pos: v.position()}
	v.require("id", "type", "connectionString")
	var connection value
	for name, member := range v.members() {
		switch string(name) {
		case "id":
			s.ID = p.uniqueID(member, taken, "data source")
		case "type":
			s.Type = p.word(member, "data-source type", DataSourceTypes())
		case "connectionString":
			connection = member
		case "description":
			s.Description = member.text()
		default:
			s.Extra = member.keep(s.Extra, "id", "type", "connectionString", "description")
		}
	}
	if connection.doc != nil && connection.is(kindString) {
		s.ConnectionString = connection.text()
		if message := connectionProblem(s.Type, s.ConnectionString); message != "" {
			connection.fail(CodeInvalid, "%s", message)
		}
	}
	return s
}

// connectionProblem says what is wrong with a connection string, without quoting any of it.
func connectionProblem(sourceType, connection string) string {
	if strings.TrimSpace(connection) == "" {
		return "must not be empty"
	}
	if opened, closed := placeholders(connection); opened != closed {
		return "has a ${ without its }; write ${NAME} or ${file:PATH}"
	}
	if sourceType != TypeGeoJSON && sourceType != TypeGeoPackage {
		return ""
	}
	return pathProblem(FilePath(connection))
}

// FilePath is the path, relative to the data directory, that the connection string of a GeoJSON or GeoPackage source
// names, cleaned: the whole string, or the value of "File=…" or "Data Source=…" up to a semicolon.
func FilePath(connection string) string {
	if key, rest, found := strings.Cut(connection, "="); found {
		if spelled(strings.TrimSpace(key), []string{"File", "Data Source"}) != "" {
			connection, _, _ = strings.Cut(rest, ";")
		}
	}
	return path.Clean(strings.TrimSpace(connection))
}

// pathProblem says why a path would leave the data directory; a path with placeholders is judged where they are known.
func pathProblem(name string) string {
	switch {
	case strings.Contains(name, "${"):
		return ""
	case strings.ContainsAny(name, "\x00\\"):
		return "the path must be written with forward slashes"
	case path.IsAbs(name), len(name) > 1 && isLetter(name[0]) && name[1] == ':', strings.Contains(name, ":/"):
		return "the path must be relative to the data directory"
	case name == ".":
		return "must name a file"
	case !filepath.IsLocal(name):
		return "the path must not leave the data directory"
	}
	return ""
}

// placeholders counts the ${ of a text and those of them that are closed by a }.
func placeholders(text string) (opened, closed int) {
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return opened, closed
		}
		opened++
		name, after, ended := strings.Cut(rest, "}")
		if ended && name != "" && !strings.Contains(name, "${") {
			closed++
		}
		text = after
		if !ended {
			return opened, closed
		}
	}
}
