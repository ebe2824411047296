package registry

import (
	"context"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// Driver opens the data sources of one type.
type Driver interface {
	// Open connects to what the connection string names. It returns an error that wraps ErrConnectionString for one
	// it cannot understand and ErrUnavailable for one it cannot reach.
	Open(ctx context.Context, spec Spec) (Source, error)
}

// Spec is a data source as a driver opens it.
type Spec struct {
	ID               string
	Type             string
	ConnectionString string // expanded: it may hold secrets
	Template         string // as it was written, with its placeholders: errors may show what stands here
}

// Source is an open data source. The layers of more than one catalog may share it: its methods are called at the same
// time, but for Close, which is called once, after everything else has returned. A layer that they were given does not
// change: they may keep what they made of it.
type Source interface {
	// Check compares a layer's definition with the live source. The error is for a source that cannot be asked.
	Check(ctx context.Context, layer *catalog.Layer) ([]Finding, error)

	// Query calls emit for each feature of the page, in a stable order, as one GeoJSON Feature object in the
	// declared properties. The bytes are valid during the call only. An error of emit ends the query and is
	// returned. Memory does not grow with the limit. An error that wraps ErrUnavailable may come at any time, one
	// that wraps ErrCRS before the first feature.
	// A feature without a geometry meets every box, one without a value every interval (OGC 17-069r4,
	// /req/core/fc-bbox-response C and /req/core/fc-time-response C).
	Query(ctx context.Context, layer *catalog.Layer, q Query, emit func(feature []byte) error) (Page, error)

	// Get returns one feature by id as a GeoJSON Feature object, which is the caller's, with its geometry in crs; or
	// ErrFeatureNotFound.
	Get(ctx context.Context, layer *catalog.Layer, id string, crs CRS) ([]byte, error)

	// Version names the data's present state: equal versions, equal answers. It is empty where the data can
	// change unseen, so that no answer may be called unmodified.
	Version(ctx context.Context) (string, error)

	// Close frees what Open acquired.
	Close() error
}

// Finding is one difference between a layer's definition and the live source.
type Finding struct {
	Field   string // of the layer, like geometryType or properties[2].type; empty for the layer as a whole
	Message string // what was found and what was expected
	Code    string // one of the Code constants
	Warning bool   // it is shown and stops nothing
}

// Codes of the problems that live checks find.
const (
	CodeSourceType        = "source_type"        // no driver for the data source's type
	CodeConnectionString  = "connection_string"  // it cannot be understood, or a placeholder has no value here
	CodeSourceUnavailable = "source_unavailable" // the source cannot be reached or read
	CodeTable             = "source_table"       // the table does not exist
	CodeGeometry          = "source_geometry"    // geometry column or geometry type differ
	CodeSRID              = "source_srid"        // the reference system differs
	CodeID                = "source_id"          // the id column is missing or not unique
	CodeProperty          = "source_property"    // a declared property is missing or of another type
)
