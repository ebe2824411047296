package admin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// maxApart is how far clocks may be from each other before it is worth a
// notice. Above 5 s a leader takes no decision that depends on time.
const maxApart = 2 * time.Second

// comparison is of what each node says for itself.
type comparison struct {
	answers map[string]*pb.GetNodeStatusResponse
	// with is the node that the others are compared with: the leader, who decides by
	// its own settings, or else the one that answers.
	with string
	// here is the node that answers, whose clock others are compared with, and now its time.
	here string
	now  time.Time
}

func (s *clusters) comparison(answers map[string]*pb.GetNodeStatusResponse, status Status) comparison {
	c := comparison{answers: answers, with: status.LeaderID, here: status.NodeID, now: s.Now()}
	if answers[c.with] == nil {
		c.with = status.NodeID
	}
	return c
}

// of says in what a node differs, and what to do about it.
func (c comparison) of(id string) (found []string) {
	theirs, reference := c.answers[id], c.answers[c.with]
	if theirs == nil {
		return nil
	}
	if reference != nil && id != c.with {
		if keys := differing(theirs.GetOwnSettings(), reference.GetOwnSettings()); len(keys) > 0 {
			found = append(found, fmt.Sprintf("its %s is not that of %s, so that they let in different people: make the settings files equal and restart it",
				strings.Join(keys, " and "), c.with))
		}
	}
	if theirs.GetNowMs() != 0 && id != c.here {
		if apart := time.UnixMilli(theirs.GetNowMs()).Sub(c.now).Round(time.Second); apart.Abs() > maxApart {
			found = append(found, fmt.Sprintf("its clock is %s from that of %s: have both follow NTP", apart, c.here))
		}
	}
	return found
}

// differing are the keys under which two nodes say different things. One that
// only one of them knows is of another version.
func differing(a, b map[string]string) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if other, known := b[key]; known && other != a[key] {
			keys = append(keys, key)
		}
	}
	return keys
}
