package main

import (
	"context"
	"os"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/internal/buildinfo"
	"github.com/honua-io/honua-gitops/internal/tracing"
)

// openTraces begins to send traces where GitOps.EnableTracing asks for it.
func (a *app) openTraces(ctx context.Context) (err error) {
	if !a.config.GitOps.EnableTracing {
		return nil
	}
	a.traces, err = tracing.New(ctx, tracing.Config{
		NodeID: a.config.Cluster.NodeID, Version: buildinfo.Get().Version, LookupEnv: os.LookupEnv, Logger: a.component("tracing"),
	})
	return err
}

// traceCalls traces the calls that this node answers, traceDials those that it makes at other nodes.
func (a *app) traceCalls() []grpc.ServerOption {
	if !a.traces.Enabled() {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(a.traces.Server())}
}

func (a *app) traceDials() []grpc.DialOption {
	if !a.traces.Enabled() {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(a.traces.Client())}
}
