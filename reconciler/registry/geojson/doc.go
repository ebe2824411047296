// Package geojson reads layers from GeoJSON files in the data directory.
//
// A file is one FeatureCollection (RFC 7946, always WGS 84). It is read whole, checked, and kept compacted in memory;
// answers are put together from its bytes, so that a request copies and allocates little. A file that changes on disk
// is read anew within the refresh interval; if it cannot be, or has vanished, what was read before is served on and
// the checks say so.
package geojson
