// Package config loads a node's appsettings.json: one file, shared with .NET
// programs, with environment variables over it.
//
// Each section describes its own keys once (describe methods); loading, the
// search for unknown keys and the Reference are three uses of that one
// description. The general configuration libraries were left aside because
// they lose what the errors here must say: which file, line and column or which
// variable a value came from, and the key in the operator's own spelling, with
// keys compared as .NET does, regardless of case.
package config
