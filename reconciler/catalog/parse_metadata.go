package catalog

// readMetadata reads services and layers.
func (p *parser) readMetadata() {
	path := MetadataPath(p.model.Environment)
	root, present, ok := p.open(path)
	if !present {
		p.problems.add(Problem{Position: Position{File: path}, Message: "the file is required, but missing", Code: CodeMissing})
	}
	if !ok {
		return
	}
	root.require("services")
	for name, v := range root.members() {
		switch string(name) {
		case "services":
			for element := range v.elements() {
				if service := p.service(element); p.clean() {
					p.model.Services = append(p.model.Services, service)
				}
			}
		default:
			p.extra(v, "services")
		}
	}
}

func (p *parser) service(v value) Service {
	s := Service{Pos: v.position()}
	v.require("id", "title", "layers")
	for name, member := range v.members() {
		switch string(name) {
		case "id":
			s.ID = p.uniqueID(member, p.services, "service")
		case "title":
			s.Title = p.title(member)
		case "description":
			s.Description = member.text()
		case "layers":
			s.Layers = p.layersOf(member)
		default:
			s.Extra = member.keep(s.Extra, "id", "title", "description", "layers")
		}
	}
	for i := range s.Layers {
		s.Layers[i].Service = s.ID
	}
	return s
}

// layersOf reads a list of layers.
func (p *parser) layersOf(v value) []Layer {
	var layers []Layer
	if p.clean() {
		layers = make([]Layer, 0, min(v.count(), 1<<16))
	}
	for element := range v.elements() {
		if layer := p.layer(element); p.clean() {
			layers = append(layers, layer)
		}
	}
	return layers
}

// uniqueID reads an id and notes it; what has it already, in any case, is named in the problem.
func (p *parser) uniqueID(v value, taken map[string]Position, what string) string {
	id := p.id(v)
	if id == "" {
		return ""
	}
	if first, duplicate := taken[fold(id)]; duplicate {
		v.fail(CodeDuplicateID, "the %s id %q is already used at %s (ids are compared case-insensitively)", what, id, first)
		return id
	}
	taken[fold(id)] = v.position()
	return id
}

// id reads an id; "" if it is none.
func (p *parser) id(v value) string {
	if !v.is(kindString) {
		return ""
	}
	id := v.text()
	if !ValidID(id) {
		v.fail(CodeInvalid, "%s is not a valid id: up to %d letters, digits, '.', '_', '-', beginning with a letter, a digit or '_'",
			shorten(id), maxID)
		return ""
	}
	return id
}

// title reads a text that must say something.
func (p *parser) title(v value) string {
	title := v.text()
	if title == "" && v.kind() == kindString {
		v.fail(CodeInvalid, "must not be empty")
	}
	return title
}
