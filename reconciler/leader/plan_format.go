package leader

import pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"

// planFormat takes the newest format into use that every node's build knows. A
// node that is away counts with what it knew when it was last here; one that is
// on record and in touch has to have said so itself.
func planFormat(in Inputs, d *Decisions) {
	format := in.Format
	for _, id := range in.Members {
		n := in.State.Node(id)
		if n == nil {
			return
		}
		format = min(format, n.Format)
		if !n.Available {
			continue
		}
		s := in.Peers[id].Status
		if s == nil || s.GetIncarnation() != n.Incarnation {
			return
		}
		format = min(format, s.GetFormat())
	}
	for n := range in.State.Nodes() {
		format = min(format, n.Format) // not a member any more, and not forgotten yet
	}
	if format > in.State.Meta().Format {
		d.propose("format", &pb.Payload{Command: &pb.Payload_RaiseFormat{RaiseFormat: &pb.RaiseFormat{Format: format}}})
	}
}
