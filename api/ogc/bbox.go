package ogc

import (
	"math"
	"strconv"
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// parseBBox reads four numbers, or six, of which the third and the last are heights. Heights select nothing. The
// numbers are in the order of the axes of their system; a box in degrees whose first longitude is greater than its
// second crosses the antimeridian.
func parseBBox(text string, in system) (*registry.BBox, error) {
	numbers, ok := finiteNumbers(text)
	if !ok || len(numbers) != 4 && len(numbers) != 6 {
		return nil, badParameter("bbox", "four or six numbers in the order of the reference system's axes: "+
			"lower-left longitude, latitude (, height), upper-right longitude, latitude (, height)")
	}
	half := len(numbers) / 2
	lower, upper := numbers[:half], numbers[half:]
	if half == 3 && lower[2] > upper[2] {
		return nil, badParameter("bbox", "a box whose lower height is not above its upper one")
	}
	x, y := 0, 1
	if in.crs.NorthFirst {
		x, y = 1, 0
	}
	box := registry.BBox{MinX: lower[x], MinY: lower[y], MaxX: upper[x], MaxY: upper[y], SRID: in.crs.SRID}
	if box.MinY > box.MaxY {
		return nil, badParameter("bbox", "a box whose lower latitude is not above its upper one")
	}
	if box.MinX > box.MaxX && !isGeographic(box.EPSG()) {
		return nil, badParameter("bbox", "a box whose lower easting is not above its upper one, in a system that is not in degrees")
	}
	return &box, nil
}

func finiteNumbers(text string) ([]float64, bool) {
	parts := strings.Split(text, ",")
	numbers := make([]float64, len(parts))
	for i, part := range parts {
		number, err := strconv.ParseFloat(part, 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, false
		}
		numbers[i] = number
	}
	return numbers, true
}
