package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Bounds of the stop; together they stay within ten seconds.
const (
	drainTimeout = 3 * time.Second
	closeTimeout = 2 * time.Second
)

// run takes part in the cluster until the context ends, then stops in order:
// the leadership is given away and gossip left while requests are still
// answered, then watches and calls end, then HTTP.
func (a *app) run(ctx context.Context) error {
	var servers sync.WaitGroup
	failed := make(chan error, 4)
	serve := func(work func() error) {
		servers.Go(func() {
			if err := work(); err != nil {
				failed <- err
			}
		})
	}
	serve(func() error { return a.admin.Serve(a.grpcListener) })
	serve(func() error { return a.web.Serve(a.httpListener) })
	if a.metricsListener != nil {
		serve(func() error { return a.web.ServeMetrics(a.metricsListener) })
	}

	nodeCtx, stopNode := context.WithCancel(context.WithoutCancel(ctx))
	defer stopNode()
	nodeDone := make(chan error, 1)
	go func() { nodeDone <- a.node.Run(nodeCtx) }()

	serve(func() error { return a.runBackups(nodeCtx) })

	clusterCtx, stopCluster := context.WithCancel(ctx)
	defer stopCluster()
	clusterDone := make(chan error, 1)
	go func() { clusterDone <- a.cluster.Run(clusterCtx) }()

	err := a.await(ctx, failed, nodeDone, clusterDone)
	a.health.Drain()
	stopCluster()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	drained := make(chan struct{})
	go func() { a.admin.Drain(stop); close(drained) }()
	err = errors.Join(err, receive(clusterDone))
	<-drained
	stopNode()
	err = errors.Join(err, receive(nodeDone))
	err = errors.Join(err, a.close(context.WithoutCancel(ctx)))
	servers.Wait()
	return err
}

// await returns when the node has to stop, and why.
func (a *app) await(ctx context.Context, failed, nodeDone, clusterDone chan error) error {
	select {
	case <-ctx.Done():
		a.logger.InfoContext(ctx, "stopping")
		return nil
	case err := <-failed:
		return err
	case err := <-nodeDone:
		close(nodeDone)
		return err
	case err := <-clusterDone:
		close(clusterDone)
		return err
	}
}

// receive waits for an end that was perhaps received already.
func receive(done chan error) error { return <-done }

func (a *app) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := a.web.Shutdown(ctx); err != nil {
		a.logger.WarnContext(ctx, "requests were cut off", "error", err)
	}
	if err := a.registry.Close(ctx); err != nil {
		a.logger.WarnContext(ctx, "data sources were not closed in time", "error", err)
	}
	if err := a.traces.Close(ctx); err != nil {
		a.logger.WarnContext(ctx, "the last traces were not sent", "error", err)
	}
	return a.node.Close()
}
