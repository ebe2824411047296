// Package wkb reads geometries in well-known binary, as PostGIS (EWKB) and GeoPackage (ISO 13249-3) store them, and
// writes them as GeoJSON without building anything in between: a geometry is walked once, whatever its size.
//
// Heights are kept, measures are not: GeoJSON has no place for them. Triangles and surfaces become polygons. Curves
// have no GeoJSON form and are refused.
package wkb
