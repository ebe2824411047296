package fsm

import (
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// raiseFormat takes a later format of commands and state into use. It is one
// committed entry, so that all nodes do it at the same index; the leader
// proposes it when every node's build knows the format. A build that does not
// halts here, rather than differ from the others later.
func (c *change) raiseFormat(command *pb.RaiseFormat) (Result, error) {
	format := command.GetFormat()
	if format <= c.meta.Format {
		return Result{}, refuse(ClassExists, "format_in_force", "format %d is in force", c.meta.Format)
	}
	for n := range c.nodes.now().all("") {
		if n.Format < format {
			return Result{}, refuse(ClassPrecondition, "old_node", "node %q knows formats up to %d, not %d: upgrade it", n.ID, n.Format, format)
		}
	}
	if format > FormatVersion {
		return Result{}, &FatalError{Index: c.entry.Index, Reason: "the cluster takes a format into use that this build does not know: upgrade this node"}
	}
	c.meta.Format = format
	c.audit("cluster.format", "", "format", "", "")
	return Result{Value: uint64(format)}, nil
}
