package registry

import (
	"context"
	"fmt"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// Checks says how much of the live sources a build looks at.
type Checks int

const (
	// Structural looks at the model alone: for start-up and catch-up.
	Structural Checks = iota
	// Strict opens every source and compares every layer with it: for staging.
	Strict
)

// BuildInput is what a catalog is built from.
type BuildInput struct {
	Environment     string
	Digest          string         // of the bundle
	ActivationLabel string         // free text for logs, like the deployment's id
	Model           *catalog.Model // as catalog.Parse returned it
	Checks          Checks
}

// Build makes a catalog. It returns all problems at once; the catalog is nil exactly when one is an Error. The caller
// holds the catalog: it is handed on with Swap, or given back with Release. The context bounds strict checks; a layer
// that could not be checked in time is a problem.
func (r *Registry) Build(ctx context.Context, in BuildInput) (*Catalog, []catalog.Problem) {
	c := &Catalog{
		environment: in.Environment, digest: in.Digest, label: in.ActivationLabel, checks: in.Checks, model: in.Model,
		byID: make(map[string]*Layer), drained: make(chan struct{}), retire: r.retire,
	}
	c.users.Store(1)
	bindings := make(map[string]*binding, len(in.Model.DataSources))
	for i := range in.Model.DataSources {
		b := newBinding(r, in.Model.DataSources[i])
		bindings[b.spec.ID] = b
		c.bindings = append(c.bindings, b)
	}
	problems := c.addLayers(bindings)
	r.adopt(c)
	if in.Checks == Strict && !catalog.HasErrors(problems) {
		problems = append(problems, r.checkSources(ctx, c)...)
	}
	if catalog.HasErrors(problems) {
		c.Release()
		return nil, problems
	}
	return c, problems
}

// addLayers connects each layer with its source. What it finds here, a validated model does not have.
func (c *Catalog) addLayers(bindings map[string]*binding) []catalog.Problem {
	var problems []catalog.Problem
	for s := range c.model.Services {
		service := &c.model.Services[s]
		for l := range service.Layers {
			layer := &Layer{definition: &service.Layers[l], index: layerIndex{s, l}}
			layer.binding = bindings[layer.definition.DataSource]
			if layer.binding == nil {
				problems = append(problems, layer.problem(Finding{
					Field: "datasource", Code: CodeSourceUnavailable,
					Message: fmt.Sprintf("data source %q is not defined", layer.definition.DataSource),
				}))
				continue
			}
			c.layers = append(c.layers, layer)
			c.byID[service.ID+"::"+layer.definition.ID] = layer
		}
	}
	// Plain ids last: they win over another layer's qualified form.
	for _, layer := range c.layers {
		c.byID[layer.definition.ID] = layer
	}
	return problems
}
