package catalog

import (
	"fmt"
	"slices"
)

func (d *differ) services(before, after *Model) {
	old, now := byID(before.Services, serviceID), byID(after.Services, serviceID)
	d.plan.Removal.ServicesBefore = len(before.Services)
	for i := range after.Services {
		service := &after.Services[i]
		subject := subject{kind: KindService, id: service.ID, file: service.Pos.File}
		earlier, found := old[fold(service.ID)]
		if !found {
			d.added(subject)
			continue
		}
		var fields fieldList
		fields.check("id", earlier.ID != service.ID)
		fields.check("title", earlier.Title != service.Title)
		fields.check("description", earlier.Description != service.Description)
		fields.extras(earlier.Extra, service.Extra)
		d.modified(subject, fields)
	}
	for i := range before.Services {
		service := &before.Services[i]
		if _, found := now[fold(service.ID)]; !found {
			d.plan.Removal.ServicesRemoved++
			d.removed(subject{kind: KindService, id: service.ID, file: service.Pos.File})
		}
	}
}

func (d *differ) layers(before, after *Model) {
	old, now := layersByID(before), layersByID(after)
	d.plan.Removal.LayersBefore = before.LayerCount()
	for s := range after.Services {
		for i := range after.Services[s].Layers {
			layer := &after.Services[s].Layers[i]
			subject := layerSubject(layer)
			if earlier, found := old[fold(layer.ID)]; found {
				d.modified(subject, layerFields(earlier, layer))
			} else {
				d.added(subject)
			}
		}
	}
	for s := range before.Services {
		for i := range before.Services[s].Layers {
			layer := &before.Services[s].Layers[i]
			if _, found := now[fold(layer.ID)]; !found {
				d.plan.Removal.LayersRemoved++
				d.removed(layerSubject(layer))
			}
		}
	}
}

func layerSubject(l *Layer) subject {
	return subject{kind: KindLayer, id: l.ID, service: l.Service, file: l.Pos.File}
}

func layerFields(old, next *Layer) []fieldChange {
	var fields fieldList
	fields.check("id", old.ID != next.ID)
	fields.check("service", fold(old.Service) != fold(next.Service))
	fields.check("title", old.Title != next.Title)
	fields.check("description", old.Description != next.Description)
	fields.check("datasource", fold(old.DataSource) != fold(next.DataSource))
	fields.check("table", old.Table != next.Table)
	fields.check("geometryColumn", old.GeometryColumn != next.GeometryColumn)
	fields.check("geometryType", old.GeometryType != next.GeometryType)
	fields.check("srid", old.SRID != next.SRID)
	fields.check("idColumn", old.IDColumn != next.IDColumn)
	fields = append(fields, propertyChanges(old.Properties, next.Properties)...)
	fields.check("bbox", !slices.Equal(old.BBox, next.BBox))
	fields.extras(old.Extra, next.Extra)
	return fields
}

// propertyChanges compares properties by name; a name in another case is another property, as clients see it.
func propertyChanges(old, next []Property) []fieldChange {
	if slices.EqualFunc(old, next, sameProperty) {
		return nil
	}
	before := make(map[string]*Property, len(old))
	for i := range old {
		before[old[i].Name] = &old[i]
	}
	var changes []fieldChange
	for i := range next {
		earlier, found := before[next[i].Name]
		delete(before, next[i].Name)
		switch {
		case !found || (earlier.Type == next[i].Type && !sameProperty(*earlier, next[i])):
			changes = append(changes, fieldChange{field: "properties", rule: "properties"})
		case earlier.Type != next[i].Type:
			detail := fmt.Sprintf("property %s changes from %s to %s", next[i].Name, earlier.Type, next[i].Type)
			changes = append(changes, fieldChange{"properties", changePropertyType, detail})
		}
	}
	for i := range old {
		if _, left := before[old[i].Name]; left {
			detail := fmt.Sprintf("property %s is removed", old[i].Name)
			changes = append(changes, fieldChange{"properties", changePropertyRemoved, detail})
		}
	}
	if len(changes) == 0 {
		changes = append(changes, fieldChange{field: "properties", rule: changePropertyOrder})
	}
	return changes
}

func sameProperty(a, b Property) bool {
	return a.Name == b.Name && a.Type == b.Type && len(changedNames(a.Extra, b.Extra)) == 0
}

func layersByID(m *Model) map[string]*Layer {
	index := make(map[string]*Layer, m.LayerCount())
	for s := range m.Services {
		for i := range m.Services[s].Layers {
			layer := &m.Services[s].Layers[i]
			index[fold(layer.ID)] = layer
		}
	}
	return index
}

func serviceID(s *Service) string   { return s.ID }
func sourceID(s *DataSource) string { return s.ID }

// byID indexes a list by folded id.
func byID[T any](list []T, id func(*T) string) map[string]*T {
	index := make(map[string]*T, len(list))
	for i := range list {
		index[fold(id(&list[i]))] = &list[i]
	}
	return index
}
