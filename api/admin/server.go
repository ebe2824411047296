package admin

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Server is the gRPC server of a node: the admin services, health, reflection,
// and what Config.Register adds.
type Server struct {
	core   *core
	grpc   *grpc.Server
	health *health.Server
	drain  sync.Once
	// recorder puts denied attempts on record, from the first Serve to Drain.
	recording sync.Once
	recorder  sync.WaitGroup
}

// New makes a server; Serve starts it.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &core{Config: cfg.withDefaults(), draining: make(chan struct{})}
	c.denials = newDenials(c.Config)
	s := &Server{core: c, grpc: grpc.NewServer(c.options()...), health: health.NewServer()}
	pb.RegisterDeploymentServiceServer(s.grpc, &deployments{core: c})
	pb.RegisterEnvironmentServiceServer(s.grpc, &environments{core: c})
	pb.RegisterClusterServiceServer(s.grpc, &clusters{core: c})
	pb.RegisterAuditServiceServer(s.grpc, &audits{core: c})
	pb.RegisterTokenServiceServer(s.grpc, &tokens{core: c})
	pb.RegisterSettingsServiceServer(s.grpc, &settings{core: c})
	pb.RegisterDebugServiceServer(s.grpc, &debugs{core: c, busy: make(chan struct{}, 1)})
	grpc_health_v1.RegisterHealthServer(s.grpc, s.health)
	if cfg.Register != nil {
		cfg.Register(s.grpc)
	}
	reflection.Register(s.grpc)
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, grpc_health_v1.HealthCheckResponse_SERVING)
	}
	return s, nil
}

func (c *core) options() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(c.unary),
		grpc.ChainStreamInterceptor(c.stream),
		grpc.MaxRecvMsgSize(c.Limits.MaxMessageBytes),
		grpc.MaxConcurrentStreams(c.Limits.MaxStreams),
		grpc.ConnectionTimeout(c.Limits.Handshake),
		grpc.MaxHeaderListSize(c.Limits.MaxHeaderBytes),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: c.Limits.KeepaliveMin, PermitWithoutStream: true}),
		// A peer that vanished is noticed, so that its watches do not stay for ever.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second, MaxConnectionIdle: c.Limits.Idle}),
	}
	if c.Credentials != nil {
		options = append(options, grpc.Creds(c.Credentials))
	}
	return append(options, c.Options...)
}

// Serve answers calls on a listener, which it closes, until Drain. It may be
// called for several listeners.
func (s *Server) Serve(l net.Listener) error {
	s.recording.Do(func() { s.recorder.Go(s.recordDenials) })
	if err := s.grpc.Serve(l); err != nil {
		return fmt.Errorf("admin API on %s: %w", l.Addr(), err)
	}
	return nil
}

// recordDenials puts denied attempts on record until Drain.
func (s *Server) recordDenials() {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // the server ends its watches when it drains, not when a caller goes
	defer cancel()
	var work sync.WaitGroup
	work.Go(func() { s.core.denials.run(ctx) })
	<-s.core.draining
	cancel()
	work.Wait()
}

// Drain stops the server: health says NOT_SERVING, watches end with UNAVAILABLE,
// calls under way finish. What is not finished when ctx ends is cut off; that is
// no error. It may be called more than once.
func (s *Server) Drain(ctx context.Context) {
	s.drain.Do(func() {
		s.health.Shutdown()
		close(s.core.draining)
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.core.Logger.Warn("calls were cut off", "reason", context.Cause(ctx))
		s.grpc.Stop()
		<-done
	}
	s.recorder.Wait()
}
