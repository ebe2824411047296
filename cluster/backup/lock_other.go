//go:build !unix

package backup

// lock has no lock to take on this system: nodes that share a directory may each save.
func lock(string) (unlock func(), err error) { return func() {}, nil }
