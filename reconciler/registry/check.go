package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// layerCheck is the outcome of comparing one layer with its source.
type layerCheck struct {
	layer    *Layer
	findings []Finding
	err      error // the source could not be asked
	cut      bool  // the context ended before the source had answered
}

// checkLayers compares every layer with its live source, several sources at a time, and returns the outcomes in the
// order of the layers. A source that does not answer one question within the patience, or cannot be asked, is not
// asked again: its other layers have the same outcome. Without patience only the context bounds a question.
func (r *Registry) checkLayers(ctx context.Context, c *Catalog, patience time.Duration) []layerCheck {
	checks := make([]layerCheck, len(c.layers))
	bySource := make(map[*binding][]int)
	for i, layer := range c.layers {
		checks[i].layer = layer
		bySource[layer.binding] = append(bySource[layer.binding], i)
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, r.config.Parallel)
	for _, b := range c.bindings {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			var failed error
			for _, i := range bySource[b] {
				if failed == nil || patience == 0 {
					checks[i].findings, failed = checks[i].layer.checkWithin(ctx, patience)
				}
				checks[i].err, checks[i].cut = failed, failed != nil && ctx.Err() != nil
			}
		})
	}
	group.Wait()
	return checks
}

// checkSources turns the outcomes into problems: one for each finding, and one for each source that cannot be asked,
// however many layers read from it. A source that no layer names is not opened.
func (r *Registry) checkSources(ctx context.Context, c *Catalog) []catalog.Problem {
	var problems []catalog.Problem
	failed := make(map[*binding][]layerCheck)
	for _, check := range r.checkLayers(ctx, c, 0) {
		if check.err != nil {
			failed[check.layer.binding] = append(failed[check.layer.binding], check)
		}
		for _, finding := range check.findings {
			problems = append(problems, check.layer.problem(finding))
		}
	}
	var unavailable []catalog.Problem
	for i, b := range c.bindings {
		if checks := failed[b]; len(checks) > 0 {
			unavailable = append(unavailable, b.problem(i, checks))
		}
	}
	return append(unavailable, problems...)
}

// problem says of a source that it cannot be asked, where the source is defined.
func (b *binding) problem(index int, checks []layerCheck) catalog.Problem {
	err := checks[0].err
	code, field := CodeSourceUnavailable, "connectionString"
	switch {
	case errors.Is(err, ErrUnknownType):
		code, field = CodeSourceType, "type"
	case errors.Is(err, ErrConnectionString):
		code = CodeConnectionString
	}
	if !b.spec.Shared {
		field = fmt.Sprintf("datasources[%d].%s", index, field)
	}
	return catalog.Problem{
		Position: b.spec.Pos, Field: field, Code: code, Severity: catalog.Error,
		Message: fmt.Sprintf("%v (%s)", err, layerNames(checks)),
	}
}

// layerNames names a few of the layers: there may be thousands.
func layerNames(checks []layerCheck) string {
	const shown = 5
	var names []string
	for _, check := range checks {
		names = append(names, fmt.Sprintf("%q", check.layer.definition.ID))
	}
	slices.Sort(names)
	if len(names) == 1 {
		return "layer " + names[0]
	}
	if len(names) > shown {
		return fmt.Sprintf("layers %s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return "layers " + strings.Join(names, ", ")
}

// problem says of a layer what was found, where the layer is defined.
func (l *Layer) problem(f Finding) catalog.Problem {
	field := fmt.Sprintf("services[%d].layers[%d]", l.index.service, l.index.layer)
	if f.Field != "" {
		field += "." + f.Field
	}
	severity := catalog.Error
	if f.Warning {
		severity = catalog.Warning
	}
	return catalog.Problem{
		Position: l.definition.Pos, Field: field, Code: f.Code, Severity: severity,
		Message: fmt.Sprintf("layer %q, data source %q: %s", l.definition.ID, l.definition.DataSource, f.Message),
	}
}
