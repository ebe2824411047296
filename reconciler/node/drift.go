package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Pacing of the search for drift.
const (
	// defaultProbeInterval is how often what is served is compared with what is deployed.
	defaultProbeInterval = 10 * time.Second
	// probeShare bounds what comparing costs: the pause after it is at least so many times as long as it took.
	probeShare = 20
	// shownDrift is how many differences a message names.
	shownDrift = 8
)

// searchDrift compares what is served with what is deployed, again and again. What breaks after a deployment
// completed is drift: it is put right where that is possible, else reported, and nothing is rolled back. The files
// are looked at by their writer, on an interval of its own.
func (n *Node) searchDrift(ctx context.Context) {
	interval := n.config.ProbeInterval
	if interval == 0 {
		interval = defaultProbeInterval
	}
	for pause := interval; sleep(ctx, pause); {
		begun := time.Now()
		for _, s := range n.Serves() {
			if s.Problem == "" {
				_, _ = n.lookForDrift(ctx, s, false) // it fails only when the context has ended
			}
		}
		pause = max(interval, probeShare*time.Since(begun))
	}
}

// lookForDrift inspects one environment, one inspection at a time, and records what it found.
func (n *Node) lookForDrift(ctx context.Context, s Serving, files bool) (inspection, error) {
	select {
	case n.inspecting <- struct{}{}:
		defer func() { <-n.inspecting }()
	case <-ctx.Done():
		return inspection{}, ctx.Err()
	}
	found := n.inspect(ctx, s, files)
	n.report(ctx, s, found)
	return found, nil
}

// report logs what is news, meters it and puts what is left on this node's record.
func (n *Node) report(ctx context.Context, s Serving, found inspection) {
	n.meter.record(s.Environment, found)
	var broken []string
	for _, d := range found.drift {
		switch {
		case d.Corrected && d.Kind != DriftFile: // the files' writer says it itself
			n.config.Logger.WarnContext(ctx, msgDriftCorrected, "environment", s.Environment, "kind", d.Kind,
				"object", d.Object, "problem", d.Message)
		case !d.Corrected:
			broken = append(broken, d.text())
		}
	}
	message := driftMessage(broken)
	if message == "" && !found.complete {
		return // what did not finish says nothing
	}
	if !n.noteDrift(s, message) {
		return
	}
	if message == "" {
		n.config.Logger.InfoContext(ctx, msgDriftOver, "environment", s.Environment)
		return
	}
	n.config.Logger.WarnContext(ctx, msgDriftFound, "environment", s.Environment, "problem", message)
}

// text is a difference as health messages show it.
func (d Drift) text() string {
	if d.Kind == DriftSource {
		return "layer " + d.Object + ": " + d.Message
	}
	return d.Kind + ": " + d.Message
}

// driftMessage names the first few of what is broken; empty if nothing is.
func driftMessage(broken []string) string {
	if len(broken) <= shownDrift {
		return strings.Join(broken, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(broken[:shownDrift], "; "), len(broken)-shownDrift)
}

// noteDrift records what an inspection of an activation found, unless another one is served by now, and reports
// whether it is news.
func (n *Node) noteDrift(inspected Serving, found string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.serves[inspected.Environment]
	if s.Epoch != inspected.Epoch || s.ActivationIndex != inspected.ActivationIndex || s.drift == found {
		return false
	}
	s.drift = found
	n.serves[inspected.Environment] = s
	return true
}

// InspectDrift compares now what this node has of an environment with what is deployed.
func (n *Node) InspectDrift(ctx context.Context, request *pb.InspectDriftRequest) (*pb.InspectDriftResponse, error) {
	response := &pb.InspectDriftResponse{NodeId: n.config.NodeID}
	for _, s := range n.Serves() {
		if s.Environment != request.GetEnvironment() {
			continue
		}
		response.ActivationIndex = s.ActivationIndex
		if s.Problem != "" {
			response.Findings = append(response.Findings, &pb.DriftFinding{Kind: DriftCatalog, Object: s.Environment, Message: s.Problem})
			return response, nil
		}
		found, err := n.lookForDrift(ctx, s, true)
		if err != nil {
			return nil, status.FromContextError(err).Err()
		}
		response.Digest = found.digest
		for _, d := range found.drift {
			response.Findings = append(response.Findings, &pb.DriftFinding{
				Kind: d.Kind, Object: d.Object, Message: d.Message, Corrected: d.Corrected,
			})
		}
		return response, nil
	}
	return nil, status.Errorf(codes.NotFound, "node %s serves nothing of environment %s", n.config.NodeID, request.GetEnvironment())
}
