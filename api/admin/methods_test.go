package admin

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// nodeServices registers what another package adds to the server.
func nodeServices(r grpc.ServiceRegistrar) {
	pb.RegisterPeerServiceServer(r, &pb.UnimplementedPeerServiceServer{})
	pb.RegisterNodeServiceServer(r, &pb.UnimplementedNodeServiceServer{})
}

func TestEveryMethodIsInTheTableOfMethods(t *testing.T) {
	a := serve(t, func(c *Config) { c.Register = nodeServices })
	registered := map[string]bool{}
	for service, info := range a.server.grpc.GetServiceInfo() {
		for _, m := range info.Methods {
			registered["/"+service+"/"+m.Name] = true
		}
	}
	for method := range registered {
		if _, listed := methods[method]; !listed {
			t.Errorf("%s is in no row: say who may call it", method)
		}
	}
	for method := range methods {
		if !registered[method] {
			t.Errorf("the row %s is of no method", method)
		}
	}
}

// identified is an Authenticator that always finds the same.
type identified struct {
	identity Identity
	err      error
}

func (i identified) Identify(context.Context) (Identity, error) { return i.identity, i.err }

func as(i Identity) func(*Config) {
	return func(c *Config) {
		c.Register = nodeServices
		c.Authenticator = identified{identity: i}
	}
}

// Each method answers PERMISSION_DENIED to every role below the one of its row,
// and to nobody else.
func TestRolesOfEveryMethod(t *testing.T) {
	for role := NoRole; role <= Admin; role++ {
		a := serve(t, as(Identity{Name: "eve", Authentication: "token", Roles: map[string]Role{AllEnvironments: role}}))
		for method, need := range methods {
			if strings.Contains(method, "Reflection") || strings.Contains(method, "Watch") {
				continue // streams, which the tests below cover
			}
			err := a.conn.Invoke(t.Context(), method, &emptypb.Empty{}, &emptypb.Empty{})
			denied := err != nil && tell(t, err).code == codes.PermissionDenied
			if want := !need.public && (need.node || role < need.least); denied != want {
				t.Errorf("%s as %s: denied %v, want %v (%v)", method, role, denied, want, err)
			}
		}
	}
}

func TestStreamsAreGuardedToo(t *testing.T) {
	a := serve(t, as(Identity{Name: "eve", Authentication: "token"}))
	stream, err := a.deployments.WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
}

func TestAMethodWithoutARowIsDenied(t *testing.T) {
	extra := grpc.ServiceDesc{ServiceName: "test.Extra", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Do", Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			request := &emptypb.Empty{}
			if err := decode(request); err != nil {
				return nil, err
			}
			return intercept(ctx, request, &grpc.UnaryServerInfo{FullMethod: "/test.Extra/Do"}, func(context.Context, any) (any, error) {
				return &emptypb.Empty{}, nil
			})
		},
	}}}
	a := serve(t, func(c *Config) { c.Register = func(r grpc.ServiceRegistrar) { r.RegisterService(&extra, struct{}{}) } })
	err := a.conn.Invoke(t.Context(), "/test.Extra/Do", &emptypb.Empty{}, &emptypb.Empty{})
	wantCode(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
}

func TestCallersWithoutCredentials(t *testing.T) {
	a := serve(t, func(c *Config) { c.Authenticator = identified{err: errors.New("the token has expired")} })
	_, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{})
	if got := wantCode(t, err, codes.Unauthenticated, "UNAUTHENTICATED"); got.message != "the token has expired" {
		t.Errorf("message %q", got.message)
	}
	if _, err := grpc_health_v1.NewHealthClient(a.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Errorf("health is public: %v", err)
	}
}

// A role in one environment is none in another, nor in the cluster as a whole.
func TestRolesByEnvironment(t *testing.T) {
	a := serve(t, as(Identity{Name: "eve", Authentication: "token", Roles: map[string]Role{"development": Admin, AllEnvironments: Viewer}}))
	id := a.node.Create("production", "roads")
	tests := []struct {
		name   string
		call   func() error
		denied bool
	}{
		{"its own", func() error {
			_, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: "development"})
			return err
		}, false},
		{"another", func() error {
			_, err := a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: "production"})
			return err
		}, true},
		{"a deployment of another", func() error {
			_, err := a.deployments.ApproveDeployment(t.Context(), &pb.ApproveDeploymentRequest{Id: id})
			return err
		}, true},
		{"all", func() error {
			_, err := a.environments.PauseEnvironment(t.Context(), &pb.PauseEnvironmentRequest{All: true, Reason: "r"})
			return err
		}, true},
		{"the cluster", func() error {
			_, err := a.clusters.RemoveServer(t.Context(), &pb.RemoveServerRequest{Id: "n2"})
			return err
		}, true},
		{"reading", func() error {
			_, err := a.deployments.GetDeployment(t.Context(), &pb.GetDeploymentRequest{Id: id})
			return err
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			if denied := err != nil && tell(t, err).code == codes.PermissionDenied; denied != tt.denied {
				t.Errorf("denied %v: %v", denied, err)
			}
		})
	}
}

func TestOverridesAndLiftedHoldsNeedMore(t *testing.T) {
	a := serve(t, as(Identity{Name: "eve", Authentication: "token", Roles: map[string]Role{AllEnvironments: Deployer}}))
	id := a.node.Create("production", "roads")
	_, err := a.deployments.RetryDeployment(t.Context(), &pb.RetryDeploymentRequest{Id: id, Override: true, Reason: "r"})
	wantCode(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
	_, err = a.environments.SyncEnvironment(t.Context(), &pb.SyncEnvironmentRequest{Environment: "production", LiftHold: true})
	wantCode(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
}

// panicking is a Store whose state cannot be had.
type panicking struct{ Store }

func (panicking) Changed() <-chan struct{} { panic("the store is gone") }

func TestAPanicIsAnErrorOfOneCall(t *testing.T) {
	a := serve(t, func(c *Config) { c.Store = panicking{c.Store} })
	stream, err := a.deployments.WatchDeployments(t.Context(), &pb.WatchDeploymentsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	wantCode(t, err, codes.Internal, "INTERNAL")
	if !strings.Contains(a.log.String(), "the store is gone") {
		t.Error("the panic is not in the log")
	}
	if _, err := a.environments.ListEnvironments(t.Context(), &pb.ListEnvironmentsRequest{}); err != nil {
		t.Errorf("the server does not go on: %v", err)
	}
}
