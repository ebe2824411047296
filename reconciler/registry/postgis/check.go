package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// Check compares a layer with the live table. Everything that is wrong is found at once; a trial query follows only
// where nothing is.
func (s *source) Check(ctx context.Context, layer *catalog.Layer) ([]registry.Finding, error) {
	conn, err := s.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	t, err := s.tables.load(ctx, conn, layer.Table)
	if err != nil {
		return nil, failed(ctx, s.where, err)
	}
	if t == nil {
		return s.missingTable(ctx, conn, layer)
	}
	findings := t.check(layer)
	if sampled, err := s.checkSample(ctx, conn, t, layer); err != nil {
		return findings, failed(ctx, s.where, err)
	} else if findings = append(findings, sampled...); slices.ContainsFunc(findings, isError) {
		return findings, nil
	}
	tried, err := s.tryQuery(ctx, conn, t, layer)
	return append(findings, tried...), err
}

func isError(f registry.Finding) bool { return !f.Warning }

// missingTable says so, and names the table that may have been meant.
func (s *source) missingTable(ctx context.Context, conn *pgxpool.Conn, layer *catalog.Layer) ([]registry.Finding, error) {
	const selectNames = `SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1 LIMIT 200`
	rows, err := conn.Query(ctx, selectNames)
	if err != nil {
		return nil, failed(ctx, s.where, err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, failed(ctx, s.where, err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, s.where, err)
	}
	wanted := layer.Table
	if !strings.Contains(wanted, ".") {
		wanted = "public." + wanted
	}
	return []registry.Finding{{Field: "table", Code: registry.CodeTable, Message: fmt.Sprintf(
		"found no table or view %q in the database%s", layer.Table, catalog.Suggest(wanted, names))}}, nil
}

// check compares what the database's catalog says.
func (t *table) check(layer *catalog.Layer) []registry.Finding {
	var findings []registry.Finding
	if !t.readable {
		findings = append(findings, registry.Finding{Field: "table", Code: registry.CodeTable, Message: fmt.Sprintf(
			"the user may not read %q; expected the privilege SELECT", layer.Table)})
	}
	if t.postgis == "" {
		findings = append(findings, registry.Finding{Field: "datasource", Code: registry.CodeGeometry,
			Message: "found a database without PostGIS; expected CREATE EXTENSION postgis in it"})
	}
	findings = append(findings, t.checkGeometry(layer)...)
	findings = append(findings, t.checkID(layer)...)
	for i, p := range layer.Properties {
		findings = append(findings, t.checkProperty(i, p)...)
	}
	return findings
}

func (t *table) checkGeometry(layer *catalog.Layer) []registry.Finding {
	c := t.column(layer.GeometryColumn)
	if c == nil {
		return []registry.Finding{{Field: "geometryColumn", Code: registry.CodeGeometry, Message: fmt.Sprintf(
			"found no column %q in %q%s", layer.GeometryColumn, layer.Table, catalog.Suggest(layer.GeometryColumn, t.columnNames()))}}
	}
	if !c.is("geometry") {
		return []registry.Finding{{Field: "geometryColumn", Code: registry.CodeGeometry, Message: fmt.Sprintf(
			"found column %q of type %s; expected geometry", c.name, c.declared)}}
	}
	var findings []registry.Finding
	if c.geometry != "Geometry" && !matchesType(c.geometry, layer.GeometryType, false) {
		findings = append(findings, wrongType(c.declared, layer))
	}
	if c.srid != 0 && c.srid != layer.SRID {
		findings = append(findings, wrongSRID(c.srid, layer))
	}
	return findings
}

func matchesType(found, declared string, mixed bool) bool {
	return strings.EqualFold(declared, "Geometry") || declared == "" || strings.EqualFold(found, declared) ||
		mixed && strings.EqualFold("Multi"+found, declared)
}

func wrongType(found string, layer *catalog.Layer) registry.Finding {
	return registry.Finding{Field: "geometryType", Code: registry.CodeGeometry, Message: fmt.Sprintf(
		"column %q: found %s; expected %s", layer.GeometryColumn, found, layer.GeometryType)}
}

func wrongSRID(found int, layer *catalog.Layer) registry.Finding {
	return registry.Finding{Field: "srid", Code: registry.CodeSRID, Message: fmt.Sprintf(
		"column %q: found %d; expected %d", layer.GeometryColumn, found, layer.SRID)}
}

func (t *table) checkID(layer *catalog.Layer) []registry.Finding {
	if layer.IDColumn == "" {
		if t.key != "" {
			return nil
		}
		return []registry.Finding{{Field: "idColumn", Code: registry.CodeID, Message: fmt.Sprintf(
			"found no primary key of one column in %q; expected one, or idColumn to name a unique column", layer.Table)}}
	}
	c := t.column(layer.IDColumn)
	if c == nil {
		return []registry.Finding{{Field: "idColumn", Code: registry.CodeID, Message: fmt.Sprintf(
			"found no column %q in %q%s", layer.IDColumn, layer.Table, catalog.Suggest(layer.IDColumn, t.columnNames()))}}
	}
	if c.is("geometry", "geography", "bytea", "json", "jsonb") || c.category == "A" {
		return []registry.Finding{{Field: "idColumn", Code: registry.CodeID, Message: fmt.Sprintf(
			"found column %q of type %s; expected a number, a text or a uuid", c.name, c.declared)}}
	}
	if !slices.Contains(t.unique, c.name) {
		return []registry.Finding{{Field: "idColumn", Code: registry.CodeID, Warning: true, Message: fmt.Sprintf(
			"column %q has no unique index of its own; expected unique ids", c.name)}}
	}
	return nil
}

func (t *table) checkProperty(index int, p catalog.Property) []registry.Finding {
	c := t.column(p.Name)
	if c == nil {
		return []registry.Finding{{Field: fmt.Sprintf("properties[%d].name", index), Code: registry.CodeProperty,
			Message: fmt.Sprintf("found no column %q%s", p.Name, catalog.Suggest(p.Name, t.columnNames()))}}
	}
	if !c.holds(p.Type) {
		return []registry.Finding{{Field: fmt.Sprintf("properties[%d].type", index), Code: registry.CodeProperty,
			Message: fmt.Sprintf("column %q: found %s; expected %s", p.Name, c.declared, p.Type)}}
	}
	return nil
}

func (t *table) columnNames() []string {
	names := make([]string, 0, len(t.columns))
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

// sampleRows is how many rows stand for a column whose type says nothing.
const sampleRows = 1000

// checkSample looks at rows where the column's type does not tell geometry type or reference system.
func (s *source) checkSample(ctx context.Context, conn *pgxpool.Conn, t *table, layer *catalog.Layer) ([]registry.Finding, error) {
	c := t.column(layer.GeometryColumn)
	if c == nil || !c.is("geometry") || t.postgis == "" || !t.readable || c.geometry != "Geometry" && c.srid != 0 {
		return nil, nil
	}
	function := func(name string) string { return quote(t.postgis) + "." + name }
	statement := "SELECT DISTINCT " + function("ST_GeometryType") + "(g), " + function("ST_SRID") + "(g) FROM (SELECT " +
		quote(c.name) + " AS g FROM " + quote(t.schema, t.name) + " WHERE " + quote(c.name) + " IS NOT NULL LIMIT $1) s ORDER BY 1, 2"
	rows, err := conn.Query(ctx, statement, sampleRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var findings []registry.Finding
	seen := make(map[string]bool)
	for rows.Next() {
		var name string
		var srid int
		if err := rows.Scan(&name, &srid); err != nil {
			return nil, err
		}
		name = strings.TrimPrefix(name, "ST_")
		if c.geometry == "Geometry" && !matchesType(name, layer.GeometryType, true) && !seen["type"] {
			findings, seen["type"] = append(findings, wrongType(name, layer)), true
		}
		if c.srid == 0 && srid != layer.SRID && !seen["srid"] {
			findings, seen["srid"] = append(findings, wrongSRID(srid, layer)), true
		}
	}
	return findings, rows.Err()
}

// tryQuery reads one feature: that shows what no catalog tells, like a view that fails or a reference system that the
// database does not know.
func (s *source) tryQuery(ctx context.Context, conn *pgxpool.Conn, t *table, layer *catalog.Layer) ([]registry.Finding, error) {
	p, err := t.planFor(layer)
	if err != nil {
		return nil, err
	}
	statement := p.selectPage(registry.Query{Limit: 1}, &conditions{})
	for range 2 { // the first one may meet a plan from before the table changed
		_, _, err = s.rows(ctx, conn, p, statement, registry.CRS{}, func([]byte) (bool, error) { return true, nil })
		if !hasCode(err, codeStalePlan) {
			break
		}
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) && !isConnectionClass(answer.Code) && answer.Code != codeQueryCanceled {
		return []registry.Finding{{Code: registry.CodeTable, Message: fmt.Sprintf(
			"reading %q fails: %s (SQLSTATE %s); expected a table that can be queried", layer.Table, answer.Message, answer.Code)}}, nil
	}
	if err != nil {
		return nil, failed(ctx, s.where, err)
	}
	return nil, nil
}
