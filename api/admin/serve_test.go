package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// api is a server over the tests' cluster, and clients of it.
type api struct {
	node         *oneNode
	server       *Server
	conn         *grpc.ClientConn
	log          *lockedBuffer
	deployments  pb.DeploymentServiceClient
	environments pb.EnvironmentServiceClient
	clusters     pb.ClusterServiceClient
	audits       pb.AuditServiceClient
}

func serve(t *testing.T, alter ...func(*Config)) *api {
	t.Helper()
	node, log := newOneNode(t), &lockedBuffer{}
	cfg := Config{
		Proposer: node, Reader: node, Store: node.Store(), Membership: node, Classify: classify,
		Logger: slog.New(slog.NewTextHandler(log, nil)), Now: func() time.Time { return epoch },
	}
	for _, a := range alter {
		a(&cfg)
	}
	server, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///admin",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.Drain(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return &api{
		node: node, server: server, conn: conn, log: log,
		deployments: pb.NewDeploymentServiceClient(conn), environments: pb.NewEnvironmentServiceClient(conn),
		clusters: pb.NewClusterServiceClient(conn), audits: pb.NewAuditServiceClient(conn),
	}
}

// told is what an error says to a client.
type told struct {
	code     codes.Code
	message  string
	reason   string
	metadata map[string]string
	fields   []string
}

func tell(t *testing.T, err error) told {
	t.Helper()
	s, ok := status.FromError(err)
	if !ok || err == nil {
		t.Fatalf("not a status: %v", err)
	}
	found := told{code: s.Code(), message: s.Message()}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() != "gitops.honua.io" {
				t.Errorf("domain %q", d.GetDomain())
			}
			found.reason, found.metadata = d.GetReason(), d.GetMetadata()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				found.fields = append(found.fields, v.GetField())
			}
		}
	}
	return found
}

// wantCode checks the code and the reason of an error.
func wantCode(t *testing.T, err error, code codes.Code, reason string) told {
	t.Helper()
	found := tell(t, err)
	if found.code != code || found.reason != reason {
		t.Errorf("got %v %s (%s), want %v %s", found.code, found.reason, found.message, code, reason)
	}
	return found
}

func TestConfigNamesWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); !errors.Is(err, ErrConfig) {
		t.Errorf("got %v", err)
	}
	node := newOneNode(t)
	full := Config{Proposer: node, Reader: node, Store: node.Store(), Membership: node, Classify: classify, Logger: slog.Default()}
	if err := full.Validate(); err != nil {
		t.Error(err)
	}
	full.Limits.Handshake = -1
	if err := full.Validate(); !errors.Is(err, ErrConfig) {
		t.Errorf("got %v", err)
	}
}
