// Package postgis reads layers from PostgreSQL tables and views with PostGIS.
//
// A source is one pool of connections, all of them read-only. What a layer names is looked up in the database's own
// catalog first; statements are built from the names found there, quoted, and values are bound, never written into
// them. Geometries come as binary and are turned into GeoJSON row by row, so that a page of ten thousand features
// needs no more memory than one of ten.
//
// A connection string may hold secrets, or be one: no error shows any of it, except host, port and database where the
// configuration itself spells them out.
package postgis
