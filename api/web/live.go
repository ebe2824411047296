package web

import "net/http"

// liveDocument says that the process answers.
type liveDocument struct {
	Status status `json:"status"`
	NodeID string `json:"nodeId"`
}

// live answers 200 as long as the process can answer at all. A node that halted
// is alive: it serves what it served, and a restart would not mend it.
func (h *Health) live(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, liveDocument{Status: healthy, NodeID: h.node.Contact().NodeID})
}
