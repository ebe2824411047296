package catalog

import "encoding/json"

// Plan is the difference between two models and what it means. Its JSON is stable.
type Plan struct {
	Environment string     `json:"environment"`
	FromCommit  string     `json:"fromCommit"` // empty: the first deployment; set by the caller, as is ToCommit
	ToCommit    string     `json:"toCommit"`
	Risk        Risk       `json:"risk"`
	RiskReasons []string   `json:"riskReasons"` // the first few changes that have the plan's risk, if it is not Low
	Breaking    []Breaking `json:"breaking"`
	Added       []Item     `json:"added"`
	Modified    []Change   `json:"modified"`
	Removed     []Item     `json:"removed"`
	Migrations  []string   `json:"migrations"`
	Removal     Removal    `json:"removal"`
	// EstimatedDurationSeconds is set by the caller from earlier deployments; 0 is unknown.
	EstimatedDurationSeconds int `json:"estimatedDurationSeconds"`
}

// Item is something added or removed.
type Item struct {
	Kind    Kind   `json:"kind"`
	ID      string `json:"id"`                // of a file, its path; of a setting, its name like Ogc.MaxLimit
	Service string `json:"service,omitempty"` // of a layer
	File    string `json:"file"`
}

// Change is something modified.
type Change struct {
	Item
	Fields   []string `json:"fields"` // in a fixed order; never values
	Breaking bool     `json:"breaking"`
}

// Breaking is one reason why clients that worked before can fail after.
type Breaking struct {
	Kind   Kind   `json:"kind"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Removal is how much of what was served goes away. Something renamed counts as removed.
type Removal struct {
	ServicesBefore  int `json:"servicesBefore"`
	ServicesRemoved int `json:"servicesRemoved"`
	LayersBefore    int `json:"layersBefore"`
	LayersRemoved   int `json:"layersRemoved"`
}

// LayerFraction is the removed part of all layers, 0 to 1; 0 if there were none.
func (r Removal) LayerFraction() float64 { return fraction(r.LayersRemoved, r.LayersBefore) }

// ServiceFraction is the removed part of all services, 0 to 1; 0 if there were none.
func (r Removal) ServiceFraction() float64 { return fraction(r.ServicesRemoved, r.ServicesBefore) }

// Mass reports whether more than half of the layers go away.
func (r Removal) Mass() bool { return 2*r.LayersRemoved > r.LayersBefore }

func fraction(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Empty reports whether nothing changes.
func (p Plan) Empty() bool { return len(p.Added)+len(p.Modified)+len(p.Removed) == 0 }

// MarshalJSON writes empty lists as [], never as null.
func (p Plan) MarshalJSON() ([]byte, error) {
	type plain Plan
	out := plain(p)
	out.RiskReasons = present(out.RiskReasons)
	out.Breaking = present(out.Breaking)
	out.Added = present(out.Added)
	out.Modified = present(out.Modified)
	out.Removed = present(out.Removed)
	out.Migrations = present(out.Migrations)
	return json.Marshal(out)
}

func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
