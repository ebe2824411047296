package admin

import (
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
)

// planMessage is the plan that is stored with a deployment. One that failed its
// checks has none: the plan then names the commits only.
func planMessage(d *fsm.Deployment) (*pb.Plan, error) {
	var plan catalog.Plan
	if len(d.Plan) > 0 {
		var err error
		if plan, err = content.DecodePlan(d.Plan); err != nil {
			return nil, fmt.Errorf("deployment %s: %w", d.ID, err)
		}
	}
	m := &pb.Plan{
		Environment: d.Environment, FromCommit: d.PreviousCommit, ToCommit: d.Commit, Risk: riskMessage(d.Risk),
		Migrations: plan.Migrations, EstimatedDurationSeconds: uint64((max(d.EstimatedMs, 0) + 999) / 1000),
	}
	reasons := map[string][]string{}
	for _, b := range plan.Breaking {
		m.Breaking = append(m.Breaking, fmt.Sprintf("%s %s: %s", b.Kind, b.ID, b.Reason))
		key := changeKey(string(b.Kind), b.ID)
		reasons[key] = append(reasons[key], b.Reason)
	}
	m.Added = itemMessages(plan.Added, reasons)
	m.Removed = itemMessages(plan.Removed, reasons)
	for _, c := range plan.Modified {
		why := reasons[changeKey(string(c.Kind), c.ID)]
		m.Modified = append(m.Modified, &pb.PlanChange{
			Kind: string(c.Kind), Id: c.ID, Service: c.Service, File: c.File, Fields: c.Fields,
			Breaking: c.Breaking, Reasons: why,
		})
	}
	return m, nil
}

func itemMessages(items []catalog.Item, reasons map[string][]string) []*pb.PlanChange {
	var messages []*pb.PlanChange
	for _, i := range items {
		why := reasons[changeKey(string(i.Kind), i.ID)]
		messages = append(messages, &pb.PlanChange{
			Kind: string(i.Kind), Id: i.ID, Service: i.Service, File: i.File, Breaking: len(why) > 0, Reasons: why,
		})
	}
	return messages
}

func changeKey(kind, id string) string { return kind + "\x00" + id }
