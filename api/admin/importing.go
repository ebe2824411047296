package admin

import (
	"context"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// maxImported is how many records one call may bring.
const maxImported = 500

// ImportEnvironment puts the history of a state file on record. It activates and approves nothing.
func (s *environments) ImportEnvironment(ctx context.Context, r *pb.ImportEnvironmentRequest) (*pb.ImportEnvironmentResponse, error) {
	var c check
	c.requestID(r.GetRequestId())
	c.name("environment", r.GetEnvironment())
	c.name("source", r.GetSource())
	c.optionalName("source_digest", r.GetSourceDigest())
	c.optionalName("deployed_commit", r.GetDeployedCommit())
	c.optionalName("actor", r.GetActor())
	if n := len(r.GetDeployments()); n > maxImported {
		c.add("deployments", "has %d records, at most %d can be imported at once", n, maxImported)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.hasEnvironment(ctx, r.GetEnvironment()); err != nil {
		return nil, err
	}
	result, state, err := s.execute(ctx, change{
		requestID: r.GetRequestId(), actor: r.GetActor(), environment: r.GetEnvironment(), least: Admin,
		payload: &pb.Payload{Command: &pb.Payload_ImportHistory{ImportHistory: importCommand(r)}},
	})
	if err != nil {
		return nil, err
	}
	return &pb.ImportEnvironmentResponse{
		Imported: uint32(result.Value), Environment: namedEnvironment(state, r.GetEnvironment()), AppliedIndex: state.Index(),
	}, nil
}

func importCommand(r *pb.ImportEnvironmentRequest) *pb.ImportHistory {
	command := &pb.ImportHistory{
		Environment: r.GetEnvironment(), Source: r.GetSource(), SourceDigest: r.GetSourceDigest(), DeployedCommit: r.GetDeployedCommit(),
	}
	for _, d := range r.GetDeployments() {
		command.Deployments = append(command.Deployments, &pb.ImportedDeployment{
			Id: d.GetId(), Commit: d.GetCommit(), Branch: d.GetBranch(), Author: d.GetAuthor(), Message: d.GetMessage(),
			State: uint32(d.GetState()), StartedMs: milliseconds(d.GetStartedAt()), CompletedMs: milliseconds(d.GetCompletedAt()),
			InitiatedBy: d.GetInitiatedBy(), Error: d.GetErrorMessage(),
		})
	}
	return command
}
