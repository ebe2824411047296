package fsm

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The hash is that of the records that are left, however often each of them was put and dropped in one change or in
// several (I11).
func TestHashIsOfWhatIsLeft(t *testing.T) {
	schemas := newSchemas()
	rapid.Check(t, func(t *rapid.T) {
		left := map[string]*Hold{}
		holds := newTable(&schemas.holds)
		for change := range rapid.IntRange(1, 4).Draw(t, "changes") {
			e := holds.edit()
			for step := range rapid.IntRange(0, 8).Draw(t, "steps") {
				h := &Hold{Environment: "e", Digest: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "digest"), Reason: fmt.Sprint(change, step)}
				if rapid.Bool().Draw(t, "put") {
					e.put(h)
					left[h.Digest] = h
				} else {
					e.drop(schemas.holds.key(h))
					delete(left, h.Digest)
				}
				if rapid.Bool().Draw(t, "look") && e.now().len() != len(left) {
					t.Fatalf("%d records in the middle of a change, not %d", e.now().len(), len(left))
				}
			}
			holds = e.hashed()
		}
		fresh := newTable(&schemas.holds).edit()
		for _, h := range left {
			fresh.put(h)
		}
		if want := fresh.hashed(); holds.hash != want.hash || holds.len() != want.len() {
			t.Fatalf("the hash is not that of the %d records that are left", len(left))
		}
	})
}

// What a node reports is no news exactly if merging it changes nothing.
func TestKnowsIsWhatMergingChanges(t *testing.T) {
	served := rapid.Custom(func(t *rapid.T) Served {
		return Served{
			Environment: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "environment"),
			Epoch:       rapid.Uint64Range(1, 2).Draw(t, "epoch"), Index: rapid.Uint64Range(1, 2).Draw(t, "index"),
			Digest: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "digest"), Healthy: rapid.Bool().Draw(t, "healthy"),
		}
	})
	list := rapid.SliceOfNDistinct(served, 0, 3, func(s Served) string { return s.Environment })
	rapid.Check(t, func(t *rapid.T) {
		n := &Node{}
		n.Serves = n.newest(list.Draw(t, "known"))
		reported := list.Draw(t, "reported")
		known := true
		for _, s := range reported {
			known = known && n.Knows(s)
		}
		if merged := n.newest(reported); known != slices.Equal(merged, n.Serves) {
			t.Fatalf("%+v is known: %v, merged into %+v it makes %+v", reported, known, n.Serves, merged)
		}
	})
}
