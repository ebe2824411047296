//go:build system

package ogc

import (
	"database/sql"
	"strings"
	"testing"
)

// selectAxes reads the two axes of every geographic 2D and projected system of the EPSG registry from PROJ's database.
const selectAxes = `SELECT c.code, c.geographic, a.orientation, a.name, b.orientation, b.name FROM (
  SELECT code, true AS geographic, coordinate_system_auth_name AS authority, coordinate_system_code AS system
  FROM geodetic_crs WHERE auth_name = 'EPSG' AND type = 'geographic 2D'
  UNION ALL SELECT code, false, coordinate_system_auth_name, coordinate_system_code FROM projected_crs WHERE auth_name = 'EPSG') c
JOIN axis a ON a.coordinate_system_auth_name = c.authority AND a.coordinate_system_code = c.system AND a.coordinate_system_order = 1
JOIN axis b ON b.coordinate_system_auth_name = c.authority AND b.coordinate_system_code = c.system AND b.coordinate_system_order = 2`

// What is known of axes is what the EPSG registry says, by the rule of PROJ's proj_normalize_for_visualization, which
// PostGIS goes by.
func TestAxesAreThoseOfTheRegistry(t *testing.T) {
	db, err := sql.Open("sqlite", "file:/usr/share/proj/proj.db?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), selectAxes)
	if err != nil {
		t.Fatalf("%v: run test/system/install.sh", err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var code int
		var geographic bool
		var first, firstName, second, secondName string
		if err := rows.Scan(&code, &geographic, &first, &firstName, &second, &secondName); err != nil {
			t.Fatal(err)
		}
		seen++
		if isGeographic(code) != geographic {
			t.Errorf("EPSG:%d: geographic is %t", code, !geographic)
		}
		if want := swapped(first, firstName, second, secondName); northFirst(code) != want {
			t.Errorf("EPSG:%d, %s (%s), %s (%s): north first is %t", code, firstName, first, secondName, second, !want)
		}
	}
	if err := rows.Err(); err != nil || seen < 5000 {
		t.Errorf("%d systems, %v", seen, err)
	}
}

// swapped is PROJ's rule: north before east, and on a polar map the axis that is called northing before the easting.
func swapped(first, firstName, second, secondName string) bool {
	if first == "north" && second == "east" {
		return true
	}
	pole, along, polar := strings.Cut(first, " along ")
	return polar && along != "" && strings.HasPrefix(second, pole) &&
		strings.HasPrefix(firstName, "Northing") && strings.HasPrefix(secondName, "Easting")
}
