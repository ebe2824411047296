package main

// Colours. All of them, the plain one too, have the same length: a column is aligned only if its cells have the same
// number of invisible characters.
const (
	colourPlain  = "\x1b[39m"
	colourRed    = "\x1b[31m"
	colourGreen  = "\x1b[32m"
	colourYellow = "\x1b[33m"
	colourBlue   = "\x1b[36m"
	colourEnd    = "\x1b[0m"
)

// paint colours a state by what it means.
func (s *session) paint(state string) string {
	if !s.colour {
		return state
	}
	return colourOf(state) + state + colourEnd
}

func colourOf(state string) string {
	switch state {
	case "Completed", "Healthy", "Synced", "yes", "alive":
		return colourGreen
	case "Failed", "Unhealthy", "no", "dead":
		return colourRed
	case "AwaitingApproval", "Pending", "Degraded", "OutOfSync", "RolledBack", "suspect", "left":
		return colourYellow
	case "Applying", "Progressing", "Syncing":
		return colourBlue
	}
	return colourPlain
}
