package catalog

import (
	"fmt"
)

// maxRiskReasons is how many changes a plan names as the cause of its risk.
const maxRiskReasons = 5

// Diff is the way from one model to another, in time linear in their size. A nil old is the first deployment; a nil
// next is an environment that is gone. Services, layers and data sources are the same when their ids are, in any case;
// their order does not count. Commits and duration are the caller's to set.
func Diff(old, next *Model) Plan {
	d := differ{rules: ruleIndex()}
	if next != nil {
		d.plan.Environment = next.Environment
	} else if old != nil {
		d.plan.Environment = old.Environment
	}
	before, after := orEmpty(old), orEmpty(next)
	d.plan.Risk = RiskLow
	d.services(before, after)
	d.layers(before, after)
	d.dataSources(before, after)
	d.settings(before.Settings, after.Settings)
	d.files(before, after)
	if removal := d.plan.Removal; removal.Mass() {
		d.raise(RiskCritical, fmt.Sprintf("%d of %d layers are removed", removal.LayersRemoved, removal.LayersBefore))
	}
	d.plan.RiskReasons = d.reasons()
	return d.plan
}

// PolicyChanged adds to the plan that an environment's policy changes, which no Model shows, with the risk that Rules
// gives to that.
func (p *Plan) PolicyChanged(environment, file string) {
	d := differ{rules: ruleIndex(), plan: *p, top: p.RiskReasons}
	d.modified(subject{kind: KindPolicy, id: environment, file: file}, []fieldChange{{field: changeContent, rule: changeContent}})
	d.plan.RiskReasons = d.top
	*p = d.plan
}

func orEmpty(m *Model) *Model {
	if m == nil {
		return &Model{}
	}
	return m
}

// differ is the state of one Diff.
type differ struct {
	rules map[ruleKey]Rule
	plan  Plan
	top   []string // what has the plan's risk
	more  int      // how many more have it
}

// subject is what a change is about.
type subject struct {
	kind              Kind
	id, service, file string
}

func (s subject) item() Item { return Item{Kind: s.kind, ID: s.id, Service: s.service, File: s.file} }

func (d *differ) added(s subject) {
	d.plan.Added = append(d.plan.Added, s.item())
	d.judge(s, changeAdded, "")
}

func (d *differ) removed(s subject) {
	d.plan.Removed = append(d.plan.Removed, s.item())
	d.judge(s, changeRemoved, "")
}

// modified collects what changed about one subject and records it once, if anything did.
func (d *differ) modified(s subject, changes []fieldChange) {
	if len(changes) == 0 {
		return
	}
	change := Change{Item: s.item()}
	for _, c := range changes {
		if n := len(change.Fields); n == 0 || change.Fields[n-1] != c.field {
			change.Fields = append(change.Fields, c.field)
		}
		change.Breaking = d.judge(s, c.rule, c.detail) || change.Breaking
	}
	d.plan.Modified = append(d.plan.Modified, change)
}

// judge applies the rule of a change and reports whether it is breaking.
func (d *differ) judge(s subject, change, detail string) bool {
	rule := d.rules[ruleKey{s.kind, change}]
	if detail == "" {
		detail = rule.Reason
	}
	if rule.Breaking {
		d.plan.Breaking = append(d.plan.Breaking, Breaking{Kind: s.kind, ID: s.id, Reason: detail})
	}
	if rule.Risk > RiskLow && rule.Risk >= d.plan.Risk {
		d.raise(rule.Risk, reasonText(s, change, detail))
	}
	return rule.Breaking
}

func reasonText(s subject, change, detail string) string {
	switch {
	case detail != "":
		return fmt.Sprintf("%s %s: %s", s.kind, s.id, detail)
	case change == changeAdded || change == changeRemoved:
		return fmt.Sprintf("%s %s: %s", s.kind, s.id, change)
	default:
		return fmt.Sprintf("%s %s: %s changed", s.kind, s.id, change)
	}
}

// raise sets the plan's risk to a level that is not below it, and notes the reason.
func (d *differ) raise(risk Risk, reason string) {
	if risk > d.plan.Risk {
		d.plan.Risk, d.top, d.more = risk, nil, 0
	}
	if len(d.top) == maxRiskReasons {
		d.more++
		return
	}
	d.top = append(d.top, reason)
}

func (d *differ) reasons() []string {
	if d.more > 0 {
		return append(d.top, fmt.Sprintf("and %d more", d.more))
	}
	return d.top
}
