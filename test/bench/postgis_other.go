//go:build !linux

package main

import (
	"context"
	"errors"
)

// postgis needs Debian's packages.
func postgis(context.Context, *bench) error {
	return errors.New("PostgreSQL is started on Linux only")
}
