package client

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

// NewStream opens a stream on a node that can be reached. A stream that breaks is its caller's to open again;
// WatchDeployments and WatchEnvironments do so.
func (c *Client) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	conn, node, err := c.reach(ctx, method)
	if err != nil {
		return nil, err
	}
	stream, err := conn.NewStream(ctx, desc, method, opts...)
	if err != nil {
		c.pool.avoid(node, time.Now().Add(avoidUnhelpful))
	}
	return stream, err
}

// reach returns a ready connection to the first node that gives one.
func (c *Client) reach(ctx context.Context, method string) (*grpc.ClientConn, *endpoint, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	a := &attempts{client: c, started: time.Now(), call: call{method: method}}
	for {
		if ctx.Err() != nil {
			return nil, nil, a.ended(ctx)
		}
		node, fresh := c.pool.pick(time.Now())
		conn, err := node.connect(ctx)
		if err == nil {
			c.pool.prefer(node)
			return conn, node, nil
		}
		if done, err := a.unreachable(ctx, node, fresh, err); done {
			return nil, nil, err
		}
	}
}
