package cluster

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/memberlist"
)

// Member is a node as gossip knows it. Gossip finds and hints; it decides nothing.
type Member struct {
	ID          string
	Incarnation string
	ClusterName string
	// Addresses, host:port.
	Raft, GRPC, HTTP, Gossip string
	Voter                    bool
	Version                  string
	Status                   MemberStatus
}

// MemberStatus is how gossip sees a node.
type MemberStatus string

// The statuses of a member.
const (
	MemberAlive  MemberStatus = "alive"
	MemberFailed MemberStatus = "failed"
	MemberLeft   MemberStatus = "left"
)

// meta is a Member on the wire. Its keys are short because memberlist allows
// 512 bytes.
type meta struct {
	ClusterName string `json:"c"`
	Incarnation string `json:"i"`
	Raft        string `json:"r"`
	GRPC        string `json:"g"`
	HTTP        string `json:"h,omitempty"`
	Gossip      string `json:"s,omitempty"`
	Version     string `json:"b,omitempty"`
	Voter       bool   `json:"v,omitempty"`
	// Leaving is said before leaving: memberlist does not tell its delegates who
	// left from who failed.
	Leaving bool `json:"l,omitempty"`
}

var errMeta = errors.New("a node's description in gossip is not usable")

func encodeMeta(m meta) ([]byte, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(data) > memberlist.MetaMaxSize {
		return nil, fmt.Errorf("%w: %d bytes of names and addresses, %d are possible", errMeta, len(data), memberlist.MetaMaxSize)
	}
	return data, nil
}

// decodeMember reads what a peer says of itself.
func decodeMember(name string, data []byte) (Member, error) {
	if len(data) > memberlist.MetaMaxSize {
		return Member{}, errMeta
	}
	var m meta
	if err := json.Unmarshal(data, &m); err != nil {
		return Member{}, fmt.Errorf("%w: %w", errMeta, err)
	}
	if !validName.MatchString(name) || m.Incarnation == "" || m.Raft == "" || m.GRPC == "" {
		return Member{}, errMeta
	}
	status := MemberAlive
	if m.Leaving {
		status = MemberLeft
	}
	return Member{
		ID: name, Status: status, Incarnation: m.Incarnation, ClusterName: m.ClusterName,
		Raft: m.Raft, GRPC: m.GRPC, HTTP: m.HTTP, Gossip: m.Gossip, Voter: m.Voter, Version: m.Version,
	}, nil
}
