//go:build chaos

package planted

import "os"

// On reports whether a defect is to be shown.
func On(d Defect) bool { return os.Getenv(Variable) == string(d) }
