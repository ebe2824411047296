package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// Layer is one layer of a catalog together with the data source that answers for it. It is valid as long as its
// catalog is held.
type Layer struct {
	definition *catalog.Layer
	binding    *binding
	index      layerIndex
}

// layerIndex is where metadata.json holds the layer, for the fields of problems.
type layerIndex struct{ service, layer int }

// Definition is what the configuration says of the layer. Do not change it.
func (l *Layer) Definition() *catalog.Layer { return l.definition }

// Query passes each feature of a page to emit; see Source. An error that wraps ErrUnavailable or ErrConnectionString
// means that the source cannot answer now.
func (l *Layer) Query(ctx context.Context, q Query, emit func(feature []byte) error) (Page, error) {
	open, err := l.binding.source(ctx)
	if err != nil {
		return Page{}, err
	}
	var emitErr error
	page, err := open.entry.source.Query(ctx, l.definition, q, func(feature []byte) error {
		emitErr = emit(feature)
		return emitErr
	})
	if err != nil && (emitErr == nil || !errors.Is(err, emitErr)) {
		err = l.binding.fail(open, err)
	}
	return page, err
}

// Get returns the feature with the id, its geometry in crs, or an error that wraps ErrFeatureNotFound.
func (l *Layer) Get(ctx context.Context, id string, crs CRS) ([]byte, error) {
	open, err := l.binding.source(ctx)
	if err != nil {
		return nil, err
	}
	feature, err := open.entry.source.Get(ctx, l.definition, id, crs)
	if err != nil {
		return nil, l.binding.fail(open, err)
	}
	return feature, nil
}

// Version names the present state of the layer's data; it is empty where the source cannot tell.
func (l *Layer) Version(ctx context.Context) (string, error) {
	open, err := l.binding.source(ctx)
	if err != nil {
		return "", err
	}
	version, err := open.entry.source.Version(ctx)
	if err != nil {
		return "", l.binding.fail(open, err)
	}
	return version, nil
}

// checkWithin is check with a time limit of its own; 0 for none.
func (l *Layer) checkWithin(ctx context.Context, patience time.Duration) ([]Finding, error) {
	if patience == 0 {
		return l.check(ctx)
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	findings, err := l.check(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return findings, fmt.Errorf("data source %q: %w: it does not answer within %v", l.definition.DataSource, ErrUnavailable, patience)
	}
	return findings, err
}

// check compares the layer with its live source.
func (l *Layer) check(ctx context.Context) ([]Finding, error) {
	open, err := l.binding.source(ctx)
	if err != nil {
		return nil, err
	}
	findings, err := open.entry.source.Check(ctx, l.definition)
	for i := range findings {
		findings[i].Message = open.hidden.redact(findings[i].Message)
	}
	if err != nil {
		return findings, l.binding.fail(open, err)
	}
	return findings, nil
}
