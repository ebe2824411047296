package view

import (
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// NewPlan converts a plan of the API to the one that offline commands make, so that both print the same.
func NewPlan(p *pb.Plan) catalog.Plan {
	plan := catalog.Plan{
		Environment: p.GetEnvironment(), FromCommit: p.GetFromCommit(), ToCommit: p.GetToCommit(),
		Migrations: texts(p.GetMigrations()), EstimatedDurationSeconds: int(p.GetEstimatedDurationSeconds()),
	}
	// What has no level, or one that this version does not know, is shown as the lowest.
	plan.Risk = catalog.RiskLow
	if risk, err := catalog.ParseRisk(Name(p.GetRisk())); err == nil {
		plan.Risk = risk
	}
	item := func(c *pb.PlanChange) catalog.Item {
		return catalog.Item{Kind: catalog.Kind(c.GetKind()), ID: c.GetId(), Service: c.GetService(), File: c.GetFile()}
	}
	plan.Added, plan.Removed = each(p.GetAdded(), item), each(p.GetRemoved(), item)
	plan.Modified = each(p.GetModified(), func(c *pb.PlanChange) catalog.Change {
		return catalog.Change{Item: item(c), Fields: texts(c.GetFields()), Breaking: c.GetBreaking()}
	})
	for _, list := range [][]*pb.PlanChange{p.GetAdded(), p.GetModified(), p.GetRemoved()} {
		for _, c := range list {
			if c.GetBreaking() {
				plan.Breaking = append(plan.Breaking, breaking(c)...)
			}
		}
	}
	return plan
}

func breaking(c *pb.PlanChange) []catalog.Breaking {
	return each(c.GetReasons(), func(reason string) catalog.Breaking {
		return catalog.Breaking{Kind: catalog.Kind(c.GetKind()), ID: c.GetId(), Reason: reason}
	})
}
