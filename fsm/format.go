package fsm

import (
	"fmt"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Formats number what entries and states mean. One is in force in a cluster; a
// later one is taken into use by an entry of the log (RaiseFormat), never by a
// build. What a build does otherwise than the one before it asks c.meta.Format
// first; a command of a new kind is encoded with the format that brought it.
const (
	// FirstFormat is the one that every cluster begins with.
	FirstFormat = 1
	// OldestFormat is the oldest one that this build can work in.
	OldestFormat = FirstFormat
	// FormatVersion is the newest one that this build knows.
	FormatVersion = newestFormat + ahead

	newestFormat = 1
)

// raiseFormat takes a later format of commands and state into use. It is one
// committed entry, so that all nodes do it at the same index; the leader
// proposes it when every node's build knows the format. A build that does not
// halts here, rather than differ from the others later.
func (c *change) raiseFormat(command *pb.RaiseFormat) (Result, error) {
	format, before := command.GetFormat(), c.meta.Format
	if format <= before {
		return Result{}, refuse(ClassExists, "format_in_force", "format %d is in force", before)
	}
	for n := range c.nodes.now().all("") {
		if n.Format < format {
			return Result{}, refuse(ClassPrecondition, "old_node", "node %q knows formats up to %d, not %d: upgrade it", n.ID, n.Format, format)
		}
	}
	if format > FormatVersion {
		return Result{}, &FatalError{Index: c.entry.Index, Reason: fmt.Sprintf(
			"it takes format %d into use, this build knows up to %d: upgrade this node", format, FormatVersion)}
	}
	c.meta.Format = format
	c.audit("cluster.format", "", "format", "every node knows it", fmt.Sprintf("from %d to %d", before, format))
	return Result{Value: uint64(format)}, nil
}

// fits refuses an entry of a format that is not in force yet. Builds that know
// the format and builds that don't halt at it alike, so that none goes on alone.
func (s *State) fits(format uint32) error {
	if format > s.meta.Format {
		return fmt.Errorf("its format is %d, in force is %d", format, s.meta.Format)
	}
	return nil
}
