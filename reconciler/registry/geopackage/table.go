package geopackage

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// table is what a file says of one of its tables. It is immutable.
type table struct {
	name     string // as the file spells it; empty where there is no such table
	columns  []column
	key      string // the integer primary key; empty if there is none
	geometry string // the geometry column's name; empty where the table has no features
	kind     string // its type, like MULTIPOLYGON
	srid     int    // its EPSG code; 0 where the file knows none
	rtree    string // the R-tree's table; empty if there is none
	rows     int    // how many there are
	others   []string
}

// column is one column of a table.
type column struct {
	name     string
	declared string // upper case, without a length
	unique   bool
}

func (t *table) column(name string) *column {
	for i := range t.columns {
		if strings.EqualFold(t.columns[i].name, name) {
			return &t.columns[i]
		}
	}
	return nil
}

// table returns what is known of a table and looks it up the first time.
func (f *file) table(ctx context.Context, name string) (*table, error) {
	f.mu.Lock()
	known := f.tables[name]
	f.mu.Unlock()
	if known != nil {
		return known, nil
	}
	t, err := describe(ctx, f.db, name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tables[name] = t
	return t, nil
}

// The names in these statements are those of the standard; what is looked for is bound.
const (
	selectContents = `
SELECT c.table_name, coalesce(g.column_name, ''), coalesce(g.geometry_type_name, ''),
       coalesce(CASE WHEN upper(s.organization) = 'EPSG' THEN s.organization_coordsys_id END, 0)
FROM gpkg_contents c
LEFT JOIN gpkg_geometry_columns g ON lower(g.table_name) = lower(c.table_name)
LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id
WHERE lower(c.table_name) = lower(?) AND c.data_type = 'features'`
	selectFeatureTables = `SELECT table_name FROM gpkg_contents WHERE data_type = 'features' ORDER BY table_name LIMIT 200`
	selectColumns       = `SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid`
	selectUnique        = `
SELECT min(i.name) FROM pragma_index_list(?) l, pragma_index_info(l.name) i
WHERE l."unique" = 1 AND l.partial = 0 GROUP BY l.name HAVING count(*) = 1`
	selectTree = `SELECT name FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?) AND sql LIKE 'CREATE VIRTUAL TABLE%rtree%'`
)

func describe(ctx context.Context, db *sql.DB, name string) (*table, error) {
	t := &table{}
	err := db.QueryRowContext(ctx, selectContents, name).Scan(&t.name, &t.geometry, &t.kind, &t.srid)
	if errors.Is(err, sql.ErrNoRows) {
		t.others, err = texts(ctx, db, selectFeatureTables)
		return t, err
	}
	if err != nil {
		return nil, err
	}
	if err := t.readColumns(ctx, db); err != nil {
		return nil, err
	}
	unique, err := texts(ctx, db, selectUnique, t.name)
	if err != nil {
		return nil, err
	}
	for _, name := range unique {
		if c := t.column(name); c != nil {
			c.unique = true
		}
	}
	trees, err := texts(ctx, db, selectTree, "rtree_"+t.name+"_"+t.geometry)
	if err != nil {
		return nil, err
	}
	if len(trees) == 1 && t.key != "" {
		t.rtree = trees[0]
	}
	if len(t.columns) == 0 {
		return t, nil
	}
	return t, db.QueryRowContext(ctx, "SELECT count(*) FROM "+quote(t.name)).Scan(&t.rows)
}

func (t *table) readColumns(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, selectColumns, t.name)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err says what went wrong
	keys := 0
	for rows.Next() {
		var c column
		var primary int
		if err := rows.Scan(&c.name, &c.declared, &primary); err != nil {
			return err
		}
		c.declared, _, _ = strings.Cut(strings.ToUpper(c.declared), "(")
		c.declared = strings.TrimSpace(c.declared)
		if primary > 0 {
			keys++
			if c.isInteger() {
				t.key = c.name
			}
		}
		t.columns = append(t.columns, c)
	}
	if keys != 1 {
		t.key = ""
	}
	if c := t.column(t.key); c != nil {
		c.unique = true
	}
	return rows.Err()
}

// texts returns the first column of an answer.
func texts(ctx context.Context, db *sql.DB, statement string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err says what went wrong
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// quote writes a name of the file as an identifier (https://sqlite.org/lang_keywords.html).
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
