package catalog

import (
	"strings"
)

func layerProperties() []string {
	return []string{
		"id", "title", "description", "datasource", "table", "geometryColumn", "geometryType", "srid", "properties",
		"idColumn", "bbox",
	}
}

func (p *parser) layer(v value) Layer {
	l := Layer{Pos: v.position()}
	v.require("id", "title", "datasource", "geometryType", "srid")
	var properties value
	for name, member := range v.members() {
		switch string(name) {
		case "id":
			l.ID = p.uniqueID(member, p.layers, "layer")
		case "title":
			l.Title = p.title(member)
		case "description":
			l.Description = member.text()
		case "datasource":
			l.DataSource = p.reference(member)
		case "table":
			l.Table = p.table(member)
		case "geometryColumn":
			l.GeometryColumn = p.column(member)
		case "geometryType":
			l.GeometryType = p.word(member, "geometry type", GeometryTypes())
		case "srid":
			l.SRID, _ = member.integer(1, MaxSRID)
		case "properties":
			properties = member
		case "idColumn":
			l.IDColumn = p.column(member)
		case "bbox":
			l.BBox = bbox(member)
		default:
			l.Extra = member.keep(l.Extra, layerProperties()...)
		}
	}
	// Of a layer whose data source is unknown nothing is demanded that depends on the source.
	isTable := l.DataSource != "" && !p.isGeoJSON(l.DataSource)
	if isTable {
		v.require("table", "geometryColumn")
	}
	if properties.doc != nil {
		l.Properties = p.properties(properties, !isTable)
	}
	return l
}

// reference reads the id of a data source and returns it as the data source spells it.
func (p *parser) reference(v value) string {
	id := p.id(v)
	if id == "" {
		return ""
	}
	if i, found := p.sources[fold(id)]; found {
		return p.model.DataSources[i].ID
	}
	path := DataSourcesPath(p.model.Environment)
	switch _, present := p.files[path]; {
	case !p.complete: // it may be in the file that could not be read
	case present:
		if !p.problems.full(Error) {
			v.fail(CodeDangling, "there is no data source %q%s", id, Suggest(id, p.sourceIDs()))
		}
	case !p.missing:
		p.missing = true
		p.problems.add(Problem{
			Position: Position{File: path}, Code: CodeMissing,
			Message: "the file is missing, but " + v.position().String() + " names the data source " + shorten(id),
		})
	}
	return ""
}

// sourceIDs are the ids that a wrong one is compared with: not more than a person would read.
func (p *parser) sourceIDs() []string {
	ids := make([]string, min(len(p.model.DataSources), 200))
	for i := range ids {
		ids[i] = p.model.DataSources[i].ID
	}
	return ids
}

func (p *parser) isGeoJSON(source string) bool {
	i, found := p.sources[fold(source)]
	return found && p.model.DataSources[i].Type == TypeGeoJSON
}

func (p *parser) table(v value) string {
	name := v.text()
	if v.kind() == kindString && !ValidTable(name) {
		v.fail(CodeInvalid, `%s is not the name of a table, like "cities" or "public.cities"`, shorten(name))
	}
	return name
}

func (p *parser) column(v value) string {
	if !v.is(kindString) {
		return ""
	}
	name := v.text()
	if !ValidColumn(name) {
		v.fail(CodeInvalid, "%s is not the name of a column: up to %d bytes of letters, digits, '_', '$', beginning with a letter or '_'",
			shorten(name), maxColumn)
	}
	return p.intern(name)
}

// word reads one of a list of words, in any case, and returns it in the list's spelling.
func (p *parser) word(v value, what string, words []string) string {
	if !v.is(kindString) {
		return ""
	}
	text := v.text()
	word := spelled(text, words)
	if word == "" {
		v.fail(CodeUnknownValue, "unknown %s %s (known: %s)%s", what, shorten(text), strings.Join(words, ", "), Suggest(text, words))
	}
	return word
}
