package admin

import (
	"bytes"
	"fmt"
	"time"
)

// notices says what is wrong with a member, and what to do about it.
func (v serverView) notices() []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if v.member.ID == v.status.NodeID && v.status.Halted != nil {
		add("halted, it applies nothing any more: %v", v.status.Halted)
	}
	if v.asked && v.answer == nil {
		add("did not answer %s within %s: check that it runs and that its gRPC address is reachable", v.status.NodeID, inspectionTime)
	}
	n := v.node
	if n == nil {
		add("is in the raft configuration but was never seen: start it, or remove it with `honua cluster remove %s`", v.member.ID)
		return found
	}
	if !n.Available {
		add("unavailable since %s: it takes no part in deployments until it is back", time.UnixMilli(n.Since).UTC().Format(time.RFC3339))
	}
	if settings := v.state.Settings(); settings != nil && n.SettingsDigest != "" && settings.FileDigest != "" && n.SettingsDigest != settings.FileDigest {
		add("the GitOps section of its settings file differs from the cluster's: make the files equal and restart it")
	}
	if a := v.answer; a != nil && a.GetStateHashIndex() == v.state.Index() {
		if own := v.state.Hash(); !bytes.Equal(a.GetStateHash(), own[:]) {
			add("its state differs from that of %s at index %d: stop the one that differs from the others and wipe its data directory",
				v.status.NodeID, v.state.Index())
		}
	}
	return append(append(found, v.differs...), v.behind()...)
}

// behind names what the node should serve and does not.
func (v serverView) behind() []string {
	var found []string
	for e := range v.state.Environments() {
		if e.Active == nil || e.Retired {
			continue
		}
		served, ok := v.node.Serving(e.Name)
		switch {
		case !ok || served.Digest == "":
			found = append(found, fmt.Sprintf("serves nothing of %s yet", e.Name))
		case served.Epoch < e.Active.Epoch || served.Index < e.Active.Index:
			found = append(found, fmt.Sprintf("serves activation %d of %s, the newest is %d", served.Index, e.Name, e.Active.Index))
		case !served.Healthy:
			found = append(found, fmt.Sprintf("%s: %s", e.Name, served.Message))
		}
	}
	return found
}
