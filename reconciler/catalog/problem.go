package catalog

// Severity says whether a problem stops a configuration.
type Severity int

// An Error stops the configuration; a Warning is shown and nothing more.
const (
	Error Severity = iota
	Warning
)

// String is "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Problem is one finding in a configuration file.
type Problem struct {
	Position
	Field    string // path of the value, like services[0].layers[2].srid; empty where there is none
	Message  string // what is wrong and what would be right; never a connection string
	Severity Severity
	Code     string // one of the Code constants
}

// Error prints `file:line:col: field: message`, without what is not known.
func (p Problem) Error() string {
	text := p.Message
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	if p.File != "" {
		text = p.Position.String() + ": " + text
	}
	return text
}

// HasErrors reports whether a problem of severity Error is among them.
func HasErrors(problems []Problem) bool {
	for _, problem := range problems {
		if problem.Severity == Error {
			return true
		}
	}
	return false
}
