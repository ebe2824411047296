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
	approved := ""
	for {
		err := cluster.WatchEnvironments(ctx, &pb.WatchEnvironmentsRequest{Name: c.layout.environment}, func(m *pb.WatchEnvironmentsResponse) error {
			d := m.GetEnvironment().GetCurrentDeployment()
			switch {
			case m.GetEnvironment().GetDeployedCommit() != "":
				return errSettled
			case !c.mayApprove(d) || d.GetId() == approved:
				return nil
			}
			approved = d.GetId()
			return c.approve(ctx, cluster, d)
		})
		// Before the cluster has begun there is no node, no leader or no environment: that passes.
		if errors.Is(err, errSettled) || !rest(ctx, 2*askReadyEvery) {
			return nil
		}
	}
}

// mayApprove reports whether a deployment is of the commit that was made here, and asks for approval.
func (c *devCluster) mayApprove(d *pb.Deployment) bool {
	return d.GetCommit() == c.layout.scaffolded && d.GetState() == pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL
}

func (c *devCluster) approve(ctx context.Context, cluster *client.Client, d *pb.Deployment) error {
	_, err := cluster.Deployments().ApproveDeployment(ctx, &pb.ApproveDeploymentRequest{
		Id: d.GetId(), ExpectedCommit: c.layout.scaffolded, Approver: devIdentity, Comment: "the first commit, made by honua dev",
	})
	if err != nil {
		c.say("%s could not be approved as %s: %s", d.GetId(), devIdentity, client.Message(err))
		return err
	}
	c.say("approved %s as %s: it is the commit that was made here", d.GetId(), devIdentity)
	return nil
}
