// Package postgis proves the PostGIS driver against a real database that its tests start themselves. They are behind
// the build tag system, and fail where PostgreSQL and PostGIS are not installed.
package postgis
