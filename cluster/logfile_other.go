//go:build !linux

package cluster

import "os"

// lockShared does not know: bbolt locks the file itself a moment later.
func lockShared(*os.File) bool { return true }

func forgetCached(*os.File) {}
