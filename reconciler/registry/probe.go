package registry

import "context"

// ProbeResult is what a probe found of one layer.
type ProbeResult struct {
	Layer  string
	Source string
	OK     bool
	// PassedAtStaging says that the same check had passed when the catalog was built: what fails now has broken
	// since. It is false for a catalog that was built without live checks.
	PassedAtStaging bool
	Reason          string // why not OK
	// Unknown says that the probe ended before the source had answered: not OK then means nothing.
	Unknown bool
}

// Probe runs the staging checks again on what an environment serves, and returns one result for each layer in their
// order; false when nothing is active. A source that hangs is given up after the open timeout, so that it hides nothing
// of the others.
func (r *Registry) Probe(ctx context.Context, environment string) ([]ProbeResult, bool) {
	current, release, ok := r.Current(environment)
	if !ok {
		return nil, false
	}
	defer release()
	checks := r.checkLayers(ctx, current, r.config.OpenTimeout)
	results := make([]ProbeResult, len(checks))
	for i, check := range checks {
		reason := check.reason()
		results[i] = ProbeResult{
			Layer: check.layer.definition.ID, Source: check.layer.definition.DataSource,
			OK: reason == "", PassedAtStaging: current.checks == Strict, Reason: reason, Unknown: check.cut,
		}
	}
	return results, true
}

// reason is the first thing that is wrong; warnings were there at staging and are nothing wrong.
func (c layerCheck) reason() string {
	if c.err != nil {
		return c.err.Error()
	}
	for _, finding := range c.findings {
		if !finding.Warning {
			return c.layer.problem(finding).Message
		}
	}
	return ""
}
