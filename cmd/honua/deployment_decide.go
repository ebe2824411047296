package main

import (
	"context"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// decision is a change of one deployment.
type decision func(context.Context, *client.Client) (decided, error)

// decided is a deployment right after a change of it, and the index at which it was so.
type decided struct {
	deployment *pb.Deployment
	index      uint64
}

func (s *session) change(ctx context.Context, change decision) (after decided, err error) {
	if err := s.checkFormat(); err != nil {
		return decided{}, err
	}
	err = s.call(ctx, func(ctx context.Context, c *client.Client) error {
		after, err = change(ctx, c)
		return err
	})
	return after, err
}

// decide makes a change after which a deployment goes on, and waits for where it ends.
func (s *session) decide(ctx context.Context, write *writeFlags, change decision) error {
	after, err := s.change(ctx, change)
	if err != nil {
		return err
	}
	if write.async || settled(after.deployment) {
		return s.deploymentOutcome(after.deployment, write.exitCode, write.async)
	}
	last, err := s.untilSettled(ctx, after)
	if err != nil {
		return err
	}
	return s.deploymentOutcome(last, write.exitCode, false)
}

// end makes a change that ends a deployment.
func (s *session) end(ctx context.Context, change decision) error {
	after, err := s.change(ctx, change)
	if err != nil {
		return err
	}
	return s.printDeployment(after.deployment)
}
