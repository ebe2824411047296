package postgis

import "slices"

// form is how a column's values come over the wire and are written as JSON.
type form struct {
	before, after string // SQL around the column's name: constants of this file, never input
	write         func(out, raw []byte) []byte
}

const asText = "::pg_catalog.text"

func (c *column) is(names ...string) bool { return slices.Contains(names, c.typeName) }

// isText reports whether a column holds text: strings, also of extensions like citext, and enumerations.
func (c *column) isText() bool { return c.category == "S" || c.category == "E" }

func (c *column) isInteger() bool {
	return c.is("int2", "int4", "int8") || c.typeName == "numeric" && c.scale == 0
}

func (c *column) isNumber() bool { return c.isInteger() || c.is("numeric", "float4", "float8") }

func (c *column) isTime() bool { return c.is("date", "timestamp", "timestamptz") }

// holds reports whether a property of the declared type can show the column.
func (c *column) holds(declared string) bool {
	switch declared {
	case "string":
		return c.isText() || c.isTime() || c.is("uuid", "time", "timetz", "interval", "inet", "cidr", "macaddr", "xml")
	case "integer":
		return c.isInteger()
	case "number":
		return c.isNumber()
	case "boolean":
		return c.is("bool")
	case "date":
		return c.is("date")
	case "datetime":
		return c.isTime()
	case "time":
		return c.is("time", "timetz")
	case "uuid":
		return c.is("uuid") || c.isText()
	case "json":
		return !c.is("geometry", "geography", "bytea")
	}
	return false
}

// natural is the property type that a column has where the layer declares none; empty for what GeoJSON has no
// property for.
func (c *column) natural() string {
	switch {
	case c.isInteger():
		return "integer"
	case c.isNumber():
		return "number"
	case c.is("bool"):
		return "boolean"
	case c.is("date"):
		return "date"
	case c.isTime():
		return "datetime"
	case c.isText(), c.is("uuid", "time", "timetz", "interval", "inet", "cidr", "macaddr", "xml"):
		return "string"
	case c.is("json", "jsonb"), c.category == "A":
		return "json"
	}
	return ""
}

// form of a column that holds what is declared.
func (c *column) form(declared string) form {
	switch declared {
	case "integer", "number":
		return c.numeric()
	case "boolean":
		return form{write: appendBool}
	case "date":
		return form{write: appendDate}
	case "datetime":
		return c.instant()
	case "json":
		return c.json()
	}
	if c.isText() && c.is("text", "varchar", "bpchar", "name") {
		return form{write: appendString}
	}
	return form{after: asText, write: appendString}
}

func (c *column) numeric() form {
	switch c.typeName {
	case "int2":
		return form{write: appendInt2}
	case "int4":
		return form{write: appendInt4}
	case "int8":
		return form{write: appendInt8}
	case "float4":
		return form{write: appendFloat4}
	case "float8":
		return form{write: appendFloat8}
	}
	return form{after: asText, write: appendDecimal}
}

func (c *column) instant() form {
	if c.typeName == "date" {
		return form{write: appendMidnight}
	}
	return form{write: appendTimestamp}
}

// json shows what is JSON already as it is stored.
func (c *column) json() form {
	if c.is("json", "jsonb") {
		return form{after: asText, write: appendJSON}
	}
	return form{before: "pg_catalog.to_json(", after: ")" + asText, write: appendJSON}
}
