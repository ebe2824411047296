package registry

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// binding is one data source of one catalog: it opens the source when it is first asked, and again, at intervals,
// as long as that fails.
type binding struct {
	spec     catalog.DataSource
	driver   Driver
	registry *Registry

	open atomic.Pointer[opened]

	// token guards the fields below; a channel, so that a request waits for the opener no longer than its context.
	token   chan struct{}
	retryAt time.Time
	lastErr error
}

// opened is a source and what its errors must not show.
type opened struct {
	entry  *pooled
	hidden expansion
}

func newBinding(r *Registry, spec catalog.DataSource) *binding {
	return &binding{spec: spec, driver: r.config.Drivers[spec.Type], registry: r, token: make(chan struct{}, 1)}
}

// source returns the open source. While the source fails, callers between two attempts get the last error.
func (b *binding) source(ctx context.Context) (*opened, error) {
	if o := b.open.Load(); o != nil {
		return o, nil
	}
	select {
	case b.token <- struct{}{}:
		defer func() { <-b.token }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if o := b.open.Load(); o != nil {
		return o, nil
	}
	if time.Now().Before(b.retryAt) {
		return nil, b.lastErr
	}
	o, err := b.tryOpen(ctx)
	if err != nil {
		b.lastErr, b.retryAt = err, time.Now().Add(b.registry.config.RetryInterval)
		return nil, err
	}
	b.open.Store(o)
	return o, nil
}

// tryOpen expands and opens under its own time limit: the request that happened to come first may go away, but the
// others still want the source.
func (b *binding) tryOpen(ctx context.Context) (*opened, error) {
	if b.driver == nil {
		return nil, fmt.Errorf("data source %q: %w %q", b.spec.ID, ErrUnknownType, b.spec.Type)
	}
	ctx, cancel := b.openContext(ctx)
	defer cancel()
	expanded, err := b.registry.expander.expand(b.spec.ConnectionString)
	if err != nil {
		return nil, fmt.Errorf("data source %q: %w", b.spec.ID, err)
	}
	entry, err := b.registry.pool.acquire(ctx, b.spec.Type, expanded.value, func() (Source, error) {
		return b.driver.Open(ctx, Spec{
			ID: b.spec.ID, Type: b.spec.Type, ConnectionString: expanded.value, Template: b.spec.ConnectionString,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("data source %q: %w", b.spec.ID, expanded.redactError(err))
	}
	return &opened{entry: entry, hidden: expanded}, nil
}

// openContext ends at the open timeout or the caller's deadline, but not when the caller goes away.
func (b *binding) openContext(ctx context.Context) (context.Context, context.CancelFunc) {
	end := time.Now().Add(b.registry.config.OpenTimeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}

// close lets the source go. No request uses the binding any more.
func (b *binding) close(logger *slog.Logger) {
	o := b.open.Swap(nil)
	if o == nil {
		return
	}
	if err := b.registry.pool.release(o.entry); err != nil {
		logger.Warn("closing a data source failed", "data_source", b.spec.ID, "error", o.hidden.redact(err.Error()))
	}
}

// fail names the source in an error and hides what must not be shown.
func (b *binding) fail(o *opened, err error) error {
	return fmt.Errorf("data source %q: %w", b.spec.ID, o.hidden.redactError(err))
}
