// Package geopackage reads layers from GeoPackage files (OGC 12-128r17) in the data directory.
//
// A file is an SQLite database, opened read-only. What gpkg_contents and gpkg_geometry_columns say of a table is what
// a layer is compared with; statements are built from the names found there, quoted, and values are bound. Boxes are
// looked up in the file's R-tree where it has one, and decided by the geometry itself. A file that is replaced on disk
// is opened anew within the refresh interval.
package geopackage
