package catalog

import "strings"

// The types of data sources.
const (
	TypePostgreSQL = "PostgreSQL" // PostGIS
	TypeGeoPackage = "GeoPackage" // a file under the data directory
	TypeGeoJSON    = "GeoJSON"    // a file under the data directory
)

// MaxSRID is the largest code that PostGIS stores.
const MaxSRID = 998_999

// DataSourceTypes are the types of data sources that are known.
func DataSourceTypes() []string { return []string{TypePostgreSQL, TypeGeoPackage, TypeGeoJSON} }

// GeometryTypes are the geometry types that a layer can have.
func GeometryTypes() []string {
	return []string{
		"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection", "Geometry",
	}
}

// PropertyTypes are the types that a property has in a Model.
func PropertyTypes() []string {
	return []string{"string", "integer", "number", "boolean", "date", "datetime", "time", "uuid", "json"}
}

// propertyType is the type that a spelling stands for; "" for none. Besides PropertyTypes it knows the names that
// .NET and SQL have for them.
func propertyType(spelling string) string {
	switch strings.ToLower(spelling) {
	case "string", "text", "varchar":
		return "string"
	case "integer", "int", "int32", "int64", "long", "short", "smallint", "bigint":
		return "integer"
	case "number", "float", "double", "decimal", "numeric", "real", "single":
		return "number"
	case "boolean", "bool":
		return "boolean"
	case "date":
		return "date"
	case "datetime", "date-time", "timestamp", "timestamptz", "datetimeoffset":
		return "datetime"
	case "time":
		return "time"
	case "uuid", "guid":
		return "uuid"
	case "json", "jsonb", "object":
		return "json"
	}
	return ""
}

// spelled returns the word of the list that text is, in any case; "" for none.
func spelled(text string, words []string) string {
	for _, word := range words {
		if strings.EqualFold(text, word) {
			return word
		}
	}
	return ""
}
