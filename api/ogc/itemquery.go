package ogc

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// errParameter says that a parameter's value cannot be understood; the text names it and what it must be.
var errParameter = errors.New("invalid parameter")

func badParameter(name, must string) error {
	return fmt.Errorf("%w: %s must be %s", errParameter, name, must)
}

// reserved are the parameters of items that have a meaning of their own: a property of that name is no filter.
func reserved() []string {
	return []string{"f", "limit", "offset", "bbox", "datetime", "crs", "bbox-crs"}
}

// filterable are the properties that a request can filter by.
func filterable(layer *catalog.Layer) []catalog.Property {
	var properties []catalog.Property
	for _, p := range layer.Properties {
		if p.Type != "json" && !isReserved(p.Name) {
			properties = append(properties, p)
		}
	}
	return properties
}

// itemParams are the parameters that a layer's items know.
func itemParams(layer *catalog.Layer) []string {
	names := reserved()
	for _, p := range filterable(layer) {
		names = append(names, p.Name)
	}
	return names
}

func isReserved(name string) bool {
	return slices.Contains(reserved(), name)
}

// itemQuery reads the parameters of an items request. Its errors wrap errParameter.
func itemQuery(p params, layer *catalog.Layer, settings catalog.OgcSettings) (registry.Query, error) {
	q := registry.Query{Limit: settings.DefaultLimit}
	if len(p.values) == 0 {
		return q, nil
	}
	var err error
	if text, given := p.lookup("limit"); given {
		if q.Limit, err = count(text); err != nil || q.Limit < 1 {
			return q, badParameter("limit", "an integer of at least 1")
		}
		q.Limit = min(q.Limit, settings.MaxLimit)
	}
	if text, given := p.lookup("offset"); given {
		if q.Offset, err = count(text); err != nil {
			return q, badParameter("offset", "an integer of at least 0")
		}
	}
	if q.CRS, q.BBox, err = place(p, layer); err != nil {
		return q, err
	}
	if text, given := p.lookup("datetime"); given {
		interval, err := parseInterval(text)
		if err != nil {
			return q, err
		}
		if interval.Property = temporalProperty(layer); interval.Property != "" {
			q.Time = &interval
		}
	}
	q.Filters, err = parseFilters(p, layer)
	return q, err
}

// place reads in which system to answer, and the box that is looked for in the system of its own.
func place(p params, layer *catalog.Layer) (registry.CRS, *registry.BBox, error) {
	answer, err := systemParameter(p, "crs", layer)
	if err != nil {
		return registry.CRS{}, nil, err
	}
	in, err := systemParameter(p, "bbox-crs", layer)
	if err != nil {
		return registry.CRS{}, nil, err
	}
	text, given := p.lookup("bbox")
	if !given {
		return answer.crs, nil, nil
	}
	box, err := parseBBox(text, in)
	return answer.crs, box, err
}

// count reads a number without sign. One too large for anything is the largest.
func count(text string) (int, error) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, errParameter
		}
	}
	if text == "" {
		return 0, errParameter
	}
	if trimmed := strings.TrimLeft(text, "0"); len(trimmed) > 9 {
		return math.MaxInt32, nil
	}
	return strconv.Atoi(text)
}

// parseFilters reads the parameters that are named like properties.
func parseFilters(p params, layer *catalog.Layer) ([]registry.Filter, error) {
	var filters []registry.Filter
	for _, property := range filterable(layer) {
		text, given := p.lookup(property.Name)
		if !given {
			continue
		}
		value, must := filterValue(property.Type, text)
		if must != "" {
			return nil, badParameter(strconv.Quote(property.Name), must)
		}
		filters = append(filters, registry.Filter{Property: property.Name, Value: value})
	}
	return filters, nil
}

// filterValue reads a value of a property's type; what it must be is empty for one that can be read.
func filterValue(propertyType, text string) (value any, must string) {
	var err error
	switch propertyType {
	case "integer":
		value, err = strconv.ParseInt(text, 10, 64)
		must = "an integer"
	case "number":
		number, parseErr := strconv.ParseFloat(text, 64)
		if err = parseErr; math.IsNaN(number) || math.IsInf(number, 0) {
			err = errParameter
		}
		value, must = number, "a number"
	case "boolean":
		value, must = text == "true", "true or false"
		if text != "true" && text != "false" {
			err = errParameter
		}
	case "date":
		_, err = time.Parse(time.DateOnly, text)
		value, must = text, "a date like 2026-01-31"
	case "datetime":
		value, err = time.Parse(time.RFC3339, text)
		must = "a date and time like 2026-01-31T12:00:00Z"
	case "time":
		_, err = time.Parse(time.TimeOnly, text)
		value, must = text, "a time like 12:00:00"
	case "uuid":
		if !isUUID(text) {
			err = errParameter
		}
		value, must = text, "a UUID"
	default:
		return text, ""
	}
	if err == nil {
		must = ""
	}
	return value, must
}

func isUUID(text string) bool {
	matched, err := regexp.MatchString(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`, text)
	return err == nil && matched
}
