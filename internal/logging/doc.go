// Package logging writes structured logs as operators of Honua expect them:
// lines of "[Information] message key=value …" or JSON, with a minimum level for
// each component that can be changed while the program runs.
//
// A component is named by the attribute "component": logger.With("component", "gitsync").
package logging
