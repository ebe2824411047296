package registry

import (
	"sync/atomic"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// Catalog is what one configuration serves: immutable, and named by the digest of the bundle it was built from.
type Catalog struct {
	environment string
	digest      string
	label       string
	checks      Checks
	model       *catalog.Model
	layers      []*Layer
	byID        map[string]*Layer
	bindings    []*binding

	users   atomic.Int64
	drained chan struct{} // closed when the last user has gone
	retire  func(*Catalog)
}

// Environment is the environment the catalog was built for.
func (c *Catalog) Environment() string { return c.environment }

// Digest is the digest of the bundle the catalog was built from.
func (c *Catalog) Digest() string { return c.digest }

// ActivationLabel is the label it was built with.
func (c *Catalog) ActivationLabel() string { return c.label }

// Model is the configuration the catalog was built from. Do not change it.
func (c *Catalog) Model() *catalog.Model { return c.model }

// Layers are the layers in the order of the configuration. Do not change the slice.
func (c *Catalog) Layers() []*Layer { return c.layers }

// Layer finds a layer by its id, or by its service's and its own id as in gis-service::cities.
func (c *Catalog) Layer(id string) (*Layer, bool) {
	layer, ok := c.byID[id]
	return layer, ok
}

// Acquire adds a user. It fails on a catalog that has drained: its sources may be closed.
func (c *Catalog) Acquire() bool {
	for {
		users := c.users.Load()
		if users == 0 {
			return false
		}
		if c.users.CompareAndSwap(users, users+1) {
			return true
		}
	}
}

// Release takes a user away. With the last one the data sources are let go.
func (c *Catalog) Release() {
	switch users := c.users.Add(-1); {
	case users < 0:
		panic("registry: catalog released more often than acquired")
	case users == 0:
		c.retire(c)
		close(c.drained)
	}
}

// Drained is closed when the last user has gone and the sources have been let go.
func (c *Catalog) Drained() <-chan struct{} { return c.drained }
