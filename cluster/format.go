package cluster

import (
	"cmp"
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
)

// speaks checks that a build which knows the formats from oldest to newest can
// work in a cluster that uses one. Builds that name none know the first alone.
func speaks(inForce, newest, oldest uint32) error {
	switch newest = max(newest, fsm.FirstFormat); {
	case newest < inForce:
		return fmt.Errorf("%w: format %d is in force, it knows up to %d: install the version that the other nodes run, or a later one", ErrFormat, inForce, newest)
	case oldest > inForce:
		return fmt.Errorf("%w: format %d is in force, it knows %d and later: upgrade by way of a version that knows both", ErrFormat, inForce, oldest)
	}
	return nil
}

func orUnknown(version string) string { return cmp.Or(version, "of an unknown version") }
