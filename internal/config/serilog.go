package config

// Serilog holds the part of .NET's logging section that is ours.
type Serilog struct {
	MinimumLevel MinimumLevel
}

// MinimumLevel says what is logged: one of "Verbose", "Debug", "Information", "Warning", "Error", "Fatal".
type MinimumLevel struct {
	Default string
	// Override maps a prefix of a component's name, such as "gitsync", to its level.
	Override map[string]string
}

// Logging says how lines look.
type Logging struct {
	// Format is "text" or "json".
	Format string
}

func level() kind[string] {
	return oneOf("Information", "Verbose", "Debug", "Warning", "Error", "Fatal")
}

func (s *Serilog) describe(t *table) {
	// .NET accepts "MinimumLevel": "Debug" for "MinimumLevel": { "Default": "Debug" }.
	if short := t.node.child("MinimumLevel"); short != nil && short.value.kind == text {
		short.value = &node{kind: object, source: short.value.source, fields: []*field{{"Default", short.value}}}
	}
	t.section("MinimumLevel", func(t *table) {
		one(t, "Default", level(), &s.MinimumLevel.Default, is("Information"), "The least severe level that is logged.")
		eachOne(t, "Override", "<component>", level(), &s.MinimumLevel.Override, "The level of one component and those below it.")
	})
}

func (l *Logging) describe(t *table) {
	one(t, "Format", oneOf("text", "json"), &l.Format, is("text"), "How log lines are written.")
}
