package postgis

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// table is what the database's own catalog says of a table or view. It is immutable, but for the plans, which depend on it
// alone.
type table struct {
	schema, name string
	columns      []column
	key          string   // the column of a primary key of one column; empty if there is none
	unique       []string // columns that are unique by themselves
	rows         float64  // the database's estimate, of tables; 0 where it has none
	small        bool     // counting its rows costs next to nothing
	readable     bool     // the user may SELECT from it
	postgis      string   // schema of the extension; empty where it is not installed
	loaded       time.Time

	quoted       string   // schema and name as identifiers
	functions    string   // what stands before the names of PostGIS's functions
	operators    string   // what stands before the signs of PostGIS's operators; a parenthesis follows them
	geometryCast string   // the cast to PostGIS's type of geometries
	plans        sync.Map // of *plan, by *catalog.Layer: how layers read the table
}

// column is a column of the live table.
type column struct {
	name     string
	quoted   string // name as an identifier
	typeName string // pg_type's, of the base type under a domain
	category string // pg_type.typcategory
	declared string // as SQL spells it, for messages
	notNull  bool
	scale    int    // of numeric; -1 where none is declared
	geometry string // of a geometry column's type modifier: POINT, GEOMETRY, …; Z and M cut off
	srid     int    // of a geometry column's type modifier; 0 for none
}

func (t *table) column(name string) *column {
	for i := range t.columns {
		if t.columns[i].name == name {
			return &t.columns[i]
		}
	}
	return nil
}

// smallBytes is up to where rows are counted for every page: what two thousand pages hold is counted in about a
// millisecond.
const smallBytes = 4 << 20

// selectTable finds a table, view, materialized view or foreign table. Names are values here, compared as they are.
const selectTable = `
SELECT c.oid, n.nspname, c.relname, has_table_privilege(c.oid, 'SELECT'),
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) ELSE -1 END,
       CASE WHEN c.relkind IN ('r', 'm') THEN c.reltuples::float8 ELSE 0 END,
       coalesce((SELECT en.nspname FROM pg_extension e JOIN pg_namespace en ON en.oid = e.extnamespace
                 WHERE e.extname = 'postgis'), '')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN $1 = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $1 END`

// selectColumns reads the columns in their order. The type modifier of a geometry is taken apart here and not by
// PostGIS, which may not be installed: gserialized_typmod.c has type in bits 2 to 7 and SRID in bits 8 to 28.
const selectColumns = `
SELECT a.attname, t.typname, t.typcategory::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN d.typtype = 'd' THEN d.typtypmod ELSE a.atttypmod END,
       coalesce(i.indisprimary, false), coalesce(i.indisunique, false)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
LEFT JOIN LATERAL (
  SELECT bool_or(x.indisprimary) AS indisprimary, bool_or(x.indisunique) AS indisunique FROM pg_catalog.pg_index x
  WHERE x.indrelid = a.attrelid AND x.indisunique AND x.indisvalid AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum
    AND x.indpred IS NULL
) i ON true
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

// rowQuerier is a pool or a connection.
type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// describe looks a table up; nil where there is none of that name. It takes table or schema.table.
func describe(ctx context.Context, q rowQuerier, name string) (*table, error) {
	schema, plain, qualified := strings.Cut(name, ".")
	if !qualified {
		schema, plain = "", name
	}
	t := &table{loaded: time.Now()}
	var oid uint32
	var size int64
	err := q.QueryRow(ctx, selectTable, schema, plain).Scan(&oid, &t.schema, &t.name, &t.readable, &size, &t.rows, &t.postgis)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t.quoted, t.functions = quote(t.schema, t.name), quote(t.postgis)+"."
	t.operators = " OPERATOR(" + t.functions
	t.geometryCast = "::" + t.functions + "geometry"
	t.small = size >= 0 && size <= smallBytes
	rows, err := q.Query(ctx, selectColumns, oid)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := t.addColumn(rows); err != nil {
			return nil, err
		}
	}
	return t, rows.Err()
}

func (t *table) addColumn(rows pgx.Rows) error {
	var c column
	var modifier int32
	var primary, unique bool
	err := rows.Scan(&c.name, &c.typeName, &c.category, &c.declared, &c.notNull, &modifier, &primary, &unique)
	if err != nil {
		return err
	}
	c.quoted = quote(c.name)
	c.readModifier(modifier)
	t.columns = append(t.columns, c)
	if primary {
		t.key = c.name
	}
	if unique {
		t.unique = append(t.unique, c.name)
	}
	return nil
}

// readModifier takes a type modifier apart.
func (c *column) readModifier(modifier int32) {
	c.scale = -1
	switch c.typeName {
	case "numeric":
		if modifier >= 4 {
			c.scale = int(modifier-4) & 0x7ff // numeric.c; a negative scale counts as none
			if c.scale > 1000 {
				c.scale = 0
			}
		}
	case "geometry":
		c.geometry = "Geometry"
		if modifier < 0 {
			return
		}
		c.geometry = geometryName(int(modifier>>2) & 0x3f)
		// The SRID is a signed number of 21 bits.
		c.srid = int(modifier&0x0fffff00-modifier&0x10000000) >> 8
	}
}

// geometryName is the name of PostGIS's number of a geometry type (liblwgeom.h).
func geometryName(number int) string {
	names := []string{
		"Geometry", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
		"GeometryCollection", "CircularString", "CompoundCurve", "CurvePolygon", "MultiCurve", "MultiSurface",
		"PolyhedralSurface", "Triangle", "Tin",
	}
	if number >= len(names) {
		return "an unknown type"
	}
	return names[number]
}
