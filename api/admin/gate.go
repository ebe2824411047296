package admin

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"

	"google.golang.org/grpc"
)

// admit lets a call in: it finds out who calls and whether they may.
func (c *core) admit(ctx context.Context, method string) (context.Context, error) {
	need, listed := methods[method]
	switch {
	case !listed:
		return nil, c.deny(Identity{Source: source(ctx)}, method, "no rule allows this method")
	case need.public:
		return ctx, nil
	}
	identity, err := c.Authenticator.Identify(ctx)
	if err != nil {
		c.Logger.Warn("call without valid credentials", "method", method, "source", source(ctx), "error", err)
		c.Denied(false)
		return nil, &problem{failure: Unauthenticated, message: err.Error()}
	}
	switch {
	case need.node && !identity.Node:
		return nil, c.deny(identity, method, "only nodes of the cluster may call this method")
	case need.everywhere && identity.RoleIn(AllEnvironments) < need.least:
		return nil, c.deny(identity, method, fmt.Sprintf("this needs the role %s in every environment", need.least))
	case !need.node && identity.RoleIn("") < need.least:
		return nil, c.deny(identity, method, fmt.Sprintf("this needs the role %s", need.least))
	}
	return withIdentity(ctx, identity), nil
}

func (c *core) deny(i Identity, method, why string) error {
	c.denied(i, method, why)
	return &problem{failure: Denied, message: why}
}

// denied logs and counts a denied attempt; that of a known caller goes on record.
func (c *core) denied(i Identity, method, why string) {
	c.Logger.Warn("call denied", "method", method, "identity", i.Name, "source", i.Source, "reason", why)
	c.Denied(i.authenticated())
	if i.authenticated() {
		c.denials.count(i, method, why)
	}
}

// permit checks a caller's role in one environment; an empty one stands for the
// cluster as a whole.
func (c *core) permit(ctx context.Context, environment string, least Role) error {
	key := environment
	if key == "" {
		key = AllEnvironments
	}
	identity := identityOf(ctx)
	if identity.RoleIn(key) >= least {
		return nil
	}
	where := "in environment " + environment
	if environment == "" {
		where = "in every environment"
	}
	method, _ := grpc.Method(ctx)
	return c.deny(identity, method, fmt.Sprintf("this needs the role %s %s", least, where))
}

// mayRead checks that a caller may see one environment; for an empty one, which
// stands for all, it returns what to leave out of a list.
func (c *core) mayRead(ctx context.Context, environment string) (visible func(string) bool, err error) {
	identity := identityOf(ctx)
	visible = func(name string) bool {
		return identity.RoleIn(name) >= Viewer && name != "" || identity.RoleIn(AllEnvironments) >= Viewer
	}
	if environment == "" {
		return visible, nil
	}
	return visible, c.permit(ctx, environment, Viewer)
}

// visibleOnly leaves out of a list what is of environments that the caller may not see.
func visibleOnly[T any](list iter.Seq[T], environment func(T) string, visible func(string) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for item := range list {
			if visible(environment(item)) && !yield(item) {
				return
			}
		}
	}
}

func (c *core) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
	defer c.recovered(info.FullMethod, &err)
	admitted, err := c.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	if !methods[info.FullMethod].node { // nodes bound their own calls: staging takes as long as the policy allows
		bounded, cancel := context.WithTimeout(admitted, c.Limits.Call)
		defer cancel()
		admitted = bounded
	}
	return handle(admitted, request)
}

func (c *core) stream(service any, s grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer c.recovered(info.FullMethod, &err)
	admitted, err := c.admit(s.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handle(service, &admittedStream{ServerStream: s, ctx: admitted})
}

// recovered turns a panic of a handler into an error of this one call.
func (c *core) recovered(method string, err *error) {
	if v := recover(); v != nil {
		c.Logger.Error("handler panicked", "method", method, "panic", v, "stack", string(debug.Stack()))
		*err = &problem{failure: Internal, message: "the server failed; its log says why"}
	}
}

// admittedStream carries the context with the caller's identity, which a
// handler can get from its stream only.
type admittedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *admittedStream) Context() context.Context { return s.ctx }
