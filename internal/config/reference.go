package config

// Entry documents one key.
type Entry struct {
	Key     string // "GitOps.Environments.<name>.Branch": what is in angle brackets is the operator's to name
	Type    string
	Default string // "" when there is none
	Text    string
}

// Reference lists every key, in the order of the sections.
func Reference() []Entry {
	p := &pass{sources: map[string]string{}}
	new(Config).describe(&table{pass: p})
	return p.reference
}
