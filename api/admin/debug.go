package admin

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/internal/support"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Collect gathers what helps to find out what is wrong with this node; a sample
// is only what changes from moment to moment. What it yields holds no secrets.
type Collect func(ctx context.Context, sample bool) iter.Seq[support.File]

// debugs is the DebugService.
type debugs struct {
	pb.UnimplementedDebugServiceServer
	*core
	// busy is held by the one collection that is under way: it takes memory.
	busy chan struct{}
}

// debugPart is how much of a file one message carries, bytes.
const debugPart = 64 << 10

// CollectDebug sends what this node says of itself.
func (s *debugs) CollectDebug(r *pb.CollectDebugRequest, out grpc.ServerStreamingServer[pb.CollectDebugResponse]) error {
	ctx, cancel := context.WithTimeout(out.Context(), s.Limits.Call)
	defer cancel()
	if err := s.permit(ctx, "", Admin); err != nil {
		return err
	}
	if s.Debug == nil {
		return &problem{failure: Precondition, reason: "no_debug", message: "this node collects nothing"}
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		return &problem{failure: Overloaded, message: "another collection is under way on this node: try again when it is over"}
	}
	node := s.Membership.Status().NodeID
	for file := range s.Debug(ctx, r.GetSample()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := sendFile(out, node, file); err != nil {
			return err
		}
	}
	s.Logger.Info("debug information sent", "identity", identityOf(ctx).Name, "sample", r.GetSample())
	return nil
}

// sendFile sends one file in parts, an empty one in one.
func sendFile(out grpc.ServerStreamingServer[pb.CollectDebugResponse], node string, file support.File) error {
	for rest := file.Content; ; {
		part := rest[:min(len(rest), debugPart)]
		rest = rest[len(part):]
		m := &pb.CollectDebugResponse{NodeId: node, Name: file.Name, Data: part}
		if len(rest) == 0 && file.Err != nil {
			m.Error = file.Err.Error()
		}
		if err := out.Send(m); err != nil || len(rest) == 0 {
			return err
		}
	}
}
