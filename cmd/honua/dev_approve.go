package main

import (
	"context"
	"errors"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// devIdentity is who approves the commit that was made here.
const devIdentity = "dev"

// approveScaffold approves the commit that this command made itself, if the environment asks for that: it is the one
// thing that keeps a new cluster from being ready. Other commits are the operator's.
func (c *devCluster) approveScaffold(ctx context.Context) error {
	if c.layout.scaffolded == "" {
		return nil
	}
	cluster, err := client.New(client.Config{Addresses: c.layout.addresses()})
	if err != nil {
		return err
	}
	defer cluster.Close()
	for {
		err := cluster.WatchEnvironments(ctx, &pb.WatchEnvironmentsRequest{Name: c.layout.environment}, func(m *pb.WatchEnvironmentsResponse) error {
			return c.approveIn(ctx, cluster, m.GetEnvironment())
		})
		// Before the cluster has begun there is no node, no leader or no environment: that passes.
		if errors.Is(err, errSettled) || !rest(ctx, 2*askReadyEvery) {
			return nil
		}
	}
}

func (c *devCluster) approveIn(ctx context.Context, cluster *client.Client, e *pb.Environment) error {
	d := e.GetCurrentDeployment()
	if e.GetDeployedCommit() != "" {
		return errSettled
	}
	if d.GetCommit() != c.layout.scaffolded || d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL {
		return nil
	}
	_, err := cluster.Deployments().ApproveDeployment(ctx, &pb.ApproveDeploymentRequest{
		Id: d.GetId(), ExpectedCommit: c.layout.scaffolded, Approver: devIdentity, Comment: "the first commit, made by honua dev",
	})
	if err != nil {
		return err
	}
	c.say("approved %s as %s: it is the commit that was made here", d.GetId(), devIdentity)
	return nil
}
