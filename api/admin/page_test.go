package admin

import (
	"slices"
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func TestAPageFitsIntoAMessage(t *testing.T) {
	large := func(text string) *pb.Deployment { return &pb.Deployment{Message: text} }
	texts := []string{strings.Repeat("x", maxPageBytes/2), strings.Repeat("y", maxPageBytes/2), "z"}
	taken, last, more := page(slices.Values(texts), 10, large)
	if len(taken) != 1 || last != texts[0] || !more {
		t.Errorf("took %d, more %v", len(taken), more)
	}
	// One that is larger than a page is a page of its own: a list always goes on.
	taken, _, more = page(slices.Values([]string{strings.Repeat("x", 2*maxPageBytes)}), 10, large)
	if len(taken) != 1 || more {
		t.Errorf("took %d, more %v", len(taken), more)
	}
}

func TestPageSizes(t *testing.T) {
	for asked, want := range map[uint32]int{0: 50, 1: 1, 1000: 1000, 1001: 1000, ^uint32(0): 1000} {
		if got := pageSize(asked); got != want {
			t.Errorf("%d: %d", asked, got)
		}
	}
}

func FuzzPageToken(f *testing.F) {
	f.Add(pageToken(7, "deployments", "production"))
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		at, err := position(token, 3, "deployments", "production")
		if err != nil {
			return
		}
		if token == "" && at != 3 {
			t.Errorf("the start is %d", at)
		}
		if again, err := position(pageToken(at, "deployments", "production"), 3, "deployments", "production"); err != nil || again != at {
			t.Errorf("%d became %d, %v", at, again, err)
		}
	})
}
