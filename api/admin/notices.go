package admin

import (
	"bytes"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// notices says what is wrong with a member, and what to do about it.
func (v serverView) notices() []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if v.member.ID == v.status.NodeID && v.status.Halted != nil {
		add("halted, it applies nothing any more: %v", v.status.Halted)
	}
	n := v.node
	if n == nil {
		return append(found, v.neverSeen())
	}
	switch since := time.UnixMilli(n.Since).UTC().Format(time.RFC3339); {
	case v.asked && v.answer == nil && n.Available:
		add("did not answer %s within %s: start it, or look at its log; %s has to be reachable", v.status.NodeID, inspectionTime, n.GRPCAddress)
	case v.asked && v.answer == nil:
		// What it serves is not known, and one line says what to do.
		remedy := "start it, or look at its log"
		if v.status.HasQuorum { // without one nothing can be removed
			remedy += "; if it never comes back: honua cluster remove " + v.member.ID
		}
		add("did not answer %s, and is unavailable since %s: %s", v.status.NodeID, since, remedy)
		return found
	case !n.Available:
		add("unavailable since %s although it answers: its log, and whether %s is reachable from the leader; it takes no part in deployments until then",
			since, v.member.RaftAddress)
	}
	switch keys, known := v.ownFile(); {
	case v.followed() || known && len(keys) == 0:
	case known:
		add("its settings file differs from what is in force in %s: make the files equal and restart it", someOf(keys))
	default:
		add("its settings file differs from what is in force: make the files equal and restart it")
	}
	if a := v.answer; a != nil && a.GetStateHashIndex() == v.state.Index() {
		if own := v.state.Hash(); !bytes.Equal(a.GetStateHash(), own[:]) {
			add("its state differs from that of %s at index %d: stop the one that differs from the others and wipe its data directory",
				v.status.NodeID, v.state.Index())
		}
	}
	return append(append(found, v.differs...), v.behind()...)
}

// neverSeen is what to do about a member that is not on record. Without a quorum nothing can be removed, and a node that
// was started without one has read nothing of its log: it knows nobody.
func (v serverView) neverSeen() string {
	switch {
	case v.status.HasQuorum:
		return fmt.Sprintf("is in the raft configuration but was never seen: start it, or remove it with `honua cluster remove %s`", v.member.ID)
	case v.member.ID == v.status.NodeID:
		return "runs, and reads its log once there is a leader"
	default:
		return fmt.Sprintf("is not known to %s, which reads its log once there is a leader: start it, if it does not run", v.status.NodeID)
	}
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

// ownFile names the keys under which the node's settings file says something
// else than what is in force; they are not known of a node that was not asked.
func (v serverView) ownFile() (keys []string, known bool) {
	file := &pb.SettingsValue{}
	if encoded := v.answer.GetSettings(); len(encoded) == 0 || proto.Unmarshal(encoded, file) != nil {
		return nil, false
	}
	return DifferingSettings(v.state.Settings(), file), true
}

// followed: the node's file is the one that was followed or overruled last.
func (v serverView) followed() bool {
	settings, recorded := v.state.Settings(), v.node.SettingsDigest
	return settings == nil || settings.FileDigest == "" || recorded == "" || recorded == settings.FileDigest
}

// overruled names the keys under which an admin has overruled the node's file.
// The node is none the worse for it, but a change of the file would undo more
// than it says.
func (v serverView) overruled() []string {
	if keys, known := v.ownFile(); known && v.node != nil && v.followed() {
		return keys
	}
	return nil
}
