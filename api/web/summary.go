package web

import (
	"fmt"
	"strings"
)

// Summary is the node in one line, for `systemctl status`: what is wrong and
// what to do, otherwise what it serves and who leads.
func (h *Health) Summary() string {
	v := look(h.node)
	document, stale := readiness(v, h.now())
	if !document.Ready {
		first := document.Reasons[0]
		return fmt.Sprintf("not ready: %s; %s", first.Message, first.Remedy)
	}
	var serves []string
	for _, e := range v.environments {
		if e.serves() {
			serves = append(serves, fmt.Sprintf("%s (activation %d)", e.name, e.served.Index))
		}
	}
	text := "serving " + strings.Join(serves, ", ")
	if v.contact.LeaderID != "" {
		text += "; leader " + v.contact.LeaderID
	}
	if stale != "" {
		text += "; possibly out of date: " + stale
	}
	return text
}
