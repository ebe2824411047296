package registry

import "errors"

var (
	// ErrUnavailable says that a data source cannot be read now and may be later.
	ErrUnavailable = errors.New("data source unavailable")
	// ErrFeatureNotFound says that a layer has no feature of that id.
	ErrFeatureNotFound = errors.New("feature not found")
	// ErrConnectionString says that a connection string cannot be understood or expanded on this node.
	ErrConnectionString = errors.New("invalid connection string")
	// ErrUnknownType says that no driver is known for a data source's type.
	ErrUnknownType = errors.New("unknown data source type")
	// ErrConfig says that a Config cannot be used.
	ErrConfig = errors.New("invalid registry configuration")
)
