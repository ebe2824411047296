package cluster

import (
	"errors"
	"strings"
	"testing"
)

func TestMemberTravels(t *testing.T) {
	data, err := encodeMeta(meta{ClusterName: "honua", Incarnation: newUUID(), Raft: "a.example:7701", GRPC: "a.example:7700",
		HTTP: "a.example:5000", Gossip: "a.example:7702", Version: "1.2.3", Voter: true})
	if err != nil {
		t.Fatal(err)
	}
	m, err := decodeMember("a", data)
	if err != nil || m.ID != "a" || m.GRPC != "a.example:7700" || !m.Voter || m.Status != MemberAlive {
		t.Errorf("%+v, %v", m, err)
	}
	left, err := encodeMeta(meta{Incarnation: "i", Raft: "r:1", GRPC: "g:1", Leaving: true})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := decodeMember("a", left); err != nil || m.Status != MemberLeft {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := encodeMeta(meta{GRPC: strings.Repeat("x", 600)}); !errors.Is(err, errMeta) {
		t.Errorf("too long: %v", err)
	}
}

func FuzzDecodeMember(f *testing.F) {
	f.Add("a", []byte(`{"c":"honua","i":"x","r":"a:1","g":"a:2","v":true}`))
	f.Add("", []byte(`{}`))
	f.Add("b", []byte(`{"i":1}`))
	f.Add("../c", []byte(`null`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		m, err := decodeMember(name, data)
		if err == nil && (m.ID != name || m.Raft == "" || m.GRPC == "" || m.Incarnation == "") {
			t.Errorf("an unusable member was accepted: %+v", m)
		}
	})
}
