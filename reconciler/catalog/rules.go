package catalog

// Kind is what a change is about.
type Kind string

// The kinds, in the order in which a Plan lists them.
const (
	KindService    Kind = "Service"
	KindLayer      Kind = "Layer"
	KindDataSource Kind = "DataSource"
	KindSetting    Kind = "Setting"
	KindFile       Kind = "File"
	KindPolicy     Kind = "Policy" // a file under .gitops/
)

// Changes that are no field's name.
const (
	changeAdded           = "added"
	changeRemoved         = "removed"
	changeUnknown         = "unknown property" // a property that this version does not know
	changePropertyRemoved = "property removed"
	changePropertyType    = "property type"
	changePropertyOrder   = "property order"
	changeContent         = "content"
	changeValue           = "value"
)

// Rule says how much one kind of change can hurt.
type Rule struct {
	Kind     Kind
	Change   string // "added", "removed", or the name of a field
	Risk     Risk
	Breaking bool   // clients that worked before can fail after
	Reason   string // why it is breaking
}

// Rules is the whole table of risks. A plan's risk is the highest of its changes', and Critical as soon as more than
// half of the layers before are removed. A breaking change is High at least. That a layer reads from another data
// source is breaking, because ids and features of the new one need not be those of the old.
func Rules() []Rule {
	return []Rule{
		{KindService, changeAdded, RiskLow, false, ""},
		{KindService, changeRemoved, RiskCritical, true, "the service is removed"},
		{KindService, "id", RiskHigh, true, "the id is spelled differently"},
		{KindService, "title", RiskLow, false, ""},
		{KindService, "description", RiskLow, false, ""},
		{KindService, changeUnknown, RiskMedium, false, ""},

		{KindLayer, changeAdded, RiskLow, false, ""},
		{KindLayer, changeRemoved, RiskHigh, true, "the layer is removed"},
		{KindLayer, "id", RiskHigh, true, "the id is spelled differently"},
		{KindLayer, "service", RiskHigh, true, "the layer moves to another service"},
		{KindLayer, "title", RiskLow, false, ""},
		{KindLayer, "description", RiskLow, false, ""},
		{KindLayer, "datasource", RiskHigh, true, "the data source changes"},
		{KindLayer, "table", RiskHigh, true, "the table changes"},
		{KindLayer, "geometryColumn", RiskHigh, true, "the geometry column changes"},
		{KindLayer, "geometryType", RiskHigh, true, "the geometry type changes"},
		{KindLayer, "srid", RiskHigh, true, "the SRID changes"},
		{KindLayer, "idColumn", RiskHigh, true, "the id column changes, and features' ids with it"},
		{KindLayer, "properties", RiskMedium, false, ""},
		{KindLayer, changePropertyRemoved, RiskHigh, true, "a property is removed"},
		{KindLayer, changePropertyType, RiskHigh, true, "a property's type changes"},
		{KindLayer, changePropertyOrder, RiskLow, false, ""},
		{KindLayer, "bbox", RiskLow, false, ""},
		{KindLayer, changeUnknown, RiskMedium, false, ""},

		{KindDataSource, changeAdded, RiskLow, false, ""},
		{KindDataSource, changeRemoved, RiskLow, false, ""}, // no layer names it any more, or the parse had failed
		{KindDataSource, "id", RiskLow, false, ""},
		{KindDataSource, "type", RiskHigh, false, ""},
		{KindDataSource, "connectionString", RiskMedium, false, ""},
		{KindDataSource, "description", RiskLow, false, ""},
		{KindDataSource, changeUnknown, RiskMedium, false, ""},

		{KindSetting, changeAdded, RiskMedium, false, ""},
		{KindSetting, changeRemoved, RiskMedium, false, ""},
		{KindSetting, changeValue, RiskMedium, false, ""},

		{KindFile, changeAdded, RiskLow, false, ""}, // nothing that is served comes from such a file
		{KindFile, changeRemoved, RiskLow, false, ""},
		{KindFile, changeContent, RiskLow, false, ""},
		{KindFile, changeUnknown, RiskMedium, false, ""},

		{KindPolicy, changeAdded, RiskHigh, false, ""}, // it decides who may decide
		{KindPolicy, changeRemoved, RiskHigh, false, ""},
		{KindPolicy, changeContent, RiskHigh, false, ""},
	}
}

type ruleKey struct {
	kind   Kind
	change string
}

// ruleIndex is the table by kind and change.
func ruleIndex() map[ruleKey]Rule {
	rules := Rules()
	index := make(map[ruleKey]Rule, len(rules))
	for _, rule := range rules {
		index[ruleKey{rule.Kind, rule.Change}] = rule
	}
	return index
}
