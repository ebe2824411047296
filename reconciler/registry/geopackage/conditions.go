package geopackage

import (
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/planar"
	"github.com/honua-io/honua-gitops/reconciler/registry/projection"
	"github.com/honua-io/honua-gitops/reconciler/registry/wkb"
)

// conditions are what a row must meet: some of it is SQL, the rest is asked of the row.
type conditions struct {
	sql  []string
	args []any
	rows []func(row []any) (bool, error)
	none bool // nothing can meet them
}

func (c *conditions) where() string {
	if len(c.sql) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.sql, " AND ")
}

func (p *plan) conditions(q registry.Query) (*conditions, error) {
	c := &conditions{}
	if q.BBox != nil {
		parts, known := projection.Boxes(*q.BBox, p.table.srid)
		if !known {
			return nil, registry.ErrCRS
		}
		c.inside(p, parts)
	}
	for _, f := range q.Filters {
		c.filter(p, f)
	}
	if q.Time != nil {
		c.during(p, *q.Time)
	}
	return c, nil
}

// treeSlack widens what the R-tree is asked for. It keeps bounds as 32-bit floats, which it rounds outwards, but for
// numbers too small for a normal one: those become 0, on either side of what they were.
const treeSlack = 1e-37

// inside asks the R-tree for candidates, if there is one, and the geometry itself for the rest. A row without a
// geometry meets every box (/req/core/fc-bbox-response C).
func (c *conditions) inside(p *plan, parts []registry.BBox) {
	var bounds []orb.Bound
	var found []string
	for _, part := range parts {
		bounds = append(bounds, orb.Bound{Min: orb.Point{part.MinX, part.MinY}, Max: orb.Point{part.MaxX, part.MaxY}})
		found = append(found, quote(p.table.key)+" IN (SELECT id FROM "+quote(p.table.rtree)+
			" WHERE maxx >= ? AND minx <= ? AND maxy >= ? AND miny <= ?)")
	}
	if p.table.rtree != "" {
		for _, b := range bounds {
			c.args = append(c.args, b.Min[0]-treeSlack, b.Max[0]+treeSlack, b.Min[1]-treeSlack, b.Max[1]+treeSlack)
		}
		c.sql = append(c.sql, "("+strings.Join(found, " OR ")+" OR "+quote(p.table.geometry)+" IS NULL)")
	}
	c.rows = append(c.rows, func(row []any) (bool, error) { return meets(row[1], bounds) })
}

func meets(value any, bounds []orb.Bound) (bool, error) {
	if value == nil {
		return true, nil
	}
	bytes, isBlob := value.([]byte)
	if !isBlob {
		return false, errBlob
	}
	geometry, err := parseBlob(bytes)
	if err != nil || geometry.empty {
		return false, err
	}
	if geometry.bounded {
		for _, b := range bounds {
			if b.Contains(geometry.envelope.Min) && b.Contains(geometry.envelope.Max) {
				return true, nil
			}
		}
	}
	decoded, err := wkb.Decode(geometry.wkb)
	if err != nil {
		return false, err
	}
	for _, b := range bounds {
		if planar.Intersects(decoded, b) {
			return true, nil
		}
	}
	return false, nil
}

// filter adds that a property equals a value. A value that the column cannot have meets nothing.
func (c *conditions) filter(p *plan, f registry.Filter) {
	i, known := p.property(f.Property)
	if !known {
		c.none = true
		return
	}
	column := p.properties[i].column
	switch v := f.Value.(type) {
	case time.Time:
		c.rows = append(c.rows, func(row []any) (bool, error) {
			from, to, ok := instantsOf(row[i+2])
			return ok && !v.Before(from) && !v.After(to), nil
		})
		return
	case string:
		c.none = c.none || !column.isText() && !column.is("DATE", "DATETIME")
	case bool:
		c.none = c.none || !column.is("BOOLEAN")
	case int64, float64:
		c.none = c.none || !column.isNumber()
	default:
		c.none = true
	}
	c.equals(column, f.Value)
}

func (c *conditions) equals(column *column, value any) {
	c.sql = append(c.sql, quote(column.name)+" = ?")
	c.args = append(c.args, value)
}

// during adds that a time meets an interval; one that is missing meets every one (/req/core/fc-time-response C).
func (c *conditions) during(p *plan, interval registry.Time) {
	i, known := p.property(interval.Property)
	if !known {
		c.none = true
		return
	}
	c.rows = append(c.rows, func(row []any) (bool, error) {
		if row[i+2] == nil {
			return true, nil
		}
		from, to, ok := instantsOf(row[i+2])
		return ok && (interval.From.IsZero() || !to.Before(interval.From)) &&
			(interval.To.IsZero() || !from.After(interval.To)), nil
	})
}

func instantsOf(value any) (from, to time.Time, ok bool) {
	text, isText := value.(string)
	if !isText {
		return from, to, false
	}
	return instants(text)
}

// id adds that a feature's id is the text that stands in its path.
func (c *conditions) id(p *plan, id string) {
	if !p.id.isInteger() {
		c.equals(p.id, id)
		return
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != id { // only the spelling that is given out
		c.none = true
		return
	}
	c.equals(p.id, number)
}
