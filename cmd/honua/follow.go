package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// errSettled ends a watch that has seen what it waits for.
var errSettled = errors.New("settled")

// untilSettled follows a deployment until nothing more happens by itself, and shows its progress. It begins at the
// index of the change, so that a node that is behind cannot show how things stood before it.
func (s *session) untilSettled(ctx context.Context, from decided) (*pb.Deployment, error) {
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.flags.forOutcome())
	defer cancel()
	display := s.newProgress()
	defer display.close()
	last := from.deployment
	display.deployment(last)
	request := &pb.WatchDeploymentsRequest{Id: last.GetId(), AfterIndex: from.index}
	err = c.WatchDeployments(bounded, request, func(m *pb.WatchDeploymentsResponse) error {
		if m.GetDeployment() == nil {
			return nil
		}
		last = m.GetDeployment()
		display.deployment(last)
		if settled(last) {
			return errSettled
		}
		return nil
	})
	return last, s.watched(ctx, err, fmt.Sprintf("%s is %s", last.GetId(), stateName(last)))
}

// watched turns the end of a watch into a command's result. state says where things stood.
func (s *session) watched(ctx context.Context, err error, state string) error {
	switch {
	case err == nil, errors.Is(err, errSettled):
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %s, and it goes on: %w", state, ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w after %s: %s, and it goes on", errTimeout, s.flags.forOutcome(), state)
	}
	return err
}

// watchEnvironment follows an environment until done says so by an error that is errSettled or ends the command.
func (s *session) watchEnvironment(ctx context.Context, name string, done func(*pb.WatchEnvironmentsResponse) error) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	return c.WatchEnvironments(ctx, &pb.WatchEnvironmentsRequest{Name: name}, done)
}

// environmentWith reads one environment.
func (s *session) environmentWith(ctx context.Context, request *pb.GetEnvironmentRequest) (answer *pb.GetEnvironmentResponse, err error) {
	err = s.call(ctx, func(ctx context.Context, c *client.Client) (err error) {
		answer, err = c.Environments().GetEnvironment(ctx, request)
		return err
	})
	return answer, err
}
