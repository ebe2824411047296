// Package view is how the command line shows what the API answers: stable JSON with camelCase names, states spelled as
// in the state files, times in RFC 3339 UTC, and lists that are never null.
package view
