//go:build !linux

package main

import (
	"errors"

	"github.com/honua-io/honua-gitops/api/web"
)

// diskOf has nothing to measure with here: the node then has no such metrics.
func diskOf(string) (web.Disk, error) { return web.Disk{}, errors.ErrUnsupported }
