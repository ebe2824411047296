//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/test/chaos/clients"
	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/harness"
)

// settleWithin is how long a cluster may take, once everything is healed, to serve a last commit everywhere.
const settleWithin = 90 * time.Second

// ready reports nil when every node serves every environment.
func (r *round) ready(ctx context.Context) error {
	for _, n := range r.cluster.Nodes {
		if err := n.Ready(ctx); err != nil {
			return err
		}
	}
	for _, e := range environments() {
		known, err := r.cluster.Environment(e.Name)
		if err != nil {
			return err
		}
		for _, n := range r.cluster.Nodes {
			if err := n.Serves(e.Name, known.GetActiveDigest()); err != nil || known.GetActiveDigest() == "" {
				return fmt.Errorf("%s: nothing of %s is served: %w", n.ID, e.Name, err)
			}
		}
	}
	return nil
}

// approveUntil approves whatever waits, as two people, until check is content.
func (r *round) approveUntil(ctx context.Context, within time.Duration, check func(context.Context) error) error {
	return harness.Await(ctx, within, func() error {
		err := check(ctx)
		if err == nil {
			return nil
		}
		return errors.Join(err, r.approve(ctx))
	})
}

func (r *round) approve(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, e := range environments() {
		list, err := r.cluster.Client().Deployments().ListDeployments(ctx, &pb.ListDeploymentsRequest{Environment: e.Name, PageSize: 20})
		if err != nil {
			return err
		}
		for _, d := range list.GetDeployments() {
			if d.GetState() != pb.DeploymentState_DEPLOYMENT_STATE_AWAITING_APPROVAL {
				continue
			}
			for i, who := range []string{"gina", "hugo"} {
				call := history.Call{
					Client: 8 + i, Kind: history.Approve, Environment: e.Name, Deployment: d.GetId(), Actor: who,
					RequestID: client.NewRequestID(time.Now()), Called: time.Since(r.begun),
				}
				_, err := r.cluster.Client().Deployments().ApproveDeployment(ctx, &pb.ApproveDeploymentRequest{
					RequestId: call.RequestID, Id: d.GetId(), Approver: who,
				})
				// A refusal means that the deployment moved on; the next look tells.
				call.Returned, call.Outcome = time.Since(r.begun), clients.OutcomeOf(err)
				r.calls.Write(call)
			}
		}
	}
	return nil
}

// settle waits until a healed cluster has come to rest and serves a last commit, then ends it in order.
func (r *round) settle(ctx context.Context) ([]history.End, error) {
	for _, e := range environments() {
		bounded, cancel := context.WithTimeout(ctx, settleWithin)
		_, err := r.cluster.Client().Environments().ResumeEnvironment(bounded, &pb.ResumeEnvironmentRequest{Environment: e.Name, Actor: "gina"})
		cancel()
		if err != nil {
			return nil, fmt.Errorf("I14: nothing is wrong any more, and a command does not commit: %w", err)
		}
	}
	last := map[string]string{}
	for i, e := range environments() {
		last[e.Name] = r.cluster.Repo.SetTitle(e.Name, fmt.Sprintf("The end %d", i))
	}
	newest := last[environments()[len(environments())-1].Name]
	if err := r.approveUntil(ctx, settleWithin, func(ctx context.Context) error { return r.rested(ctx, newest) }); err != nil {
		return nil, fmt.Errorf("nothing is wrong any more, and the last commit is not served: %w", err)
	}
	ends, err := r.ends(ctx)
	return ends, errors.Join(err, r.stop())
}

// rested reports nil when every node serves the last commit of each environment and nothing is under way.
func (r *round) rested(ctx context.Context, newest string) error {
	for _, e := range environments() {
		known, err := r.cluster.Environment(e.Name)
		if err != nil {
			return err
		}
		switch {
		case known.GetLatestCommit() != newest:
			return fmt.Errorf("%s has seen %.8s, not %.8s", e.Name, known.GetLatestCommit(), newest)
		case known.GetOperation() != nil:
			return fmt.Errorf("%s is busy: %v", e.Name, known.GetOperation())
		case known.GetSyncStatus() != pb.SyncStatus_SYNC_STATUS_SYNCED:
			return fmt.Errorf("%s is %v: %v", e.Name, known.GetSyncStatus(), known.GetCurrentDeployment())
		case known.GetHealth() != pb.Health_HEALTH_HEALTHY:
			return fmt.Errorf("%s is %v: %s", e.Name, known.GetHealth(), known.GetHealthMessage())
		}
	}
	return r.ready(ctx)
}

// ends asks every node for its state's hash at one index.
func (r *round) ends(ctx context.Context) (ends []history.End, err error) {
	return ends, harness.Await(ctx, settleWithin, func() error {
		ends = nil
		for _, n := range r.cluster.Nodes {
			index, hash, err := n.StateHash(ctx)
			if err != nil {
				return err
			}
			ends = append(ends, history.End{Node: n.ID, Index: index, Hash: hash})
			if ends[0].Index != index {
				return fmt.Errorf("the nodes are at different indexes: %v", ends)
			}
		}
		return nil
	})
}

// stop ends all nodes in order.
func (r *round) stop() error {
	if err := r.unsupervise(); err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, len(r.cluster.Nodes))
	for i, n := range r.cluster.Nodes {
		all.Go(func() {
			if err := n.End(syscall.SIGTERM); err != nil {
				errs[i] = fmt.Errorf("%s did not end in order: %w", n.ID, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
