package admin

import (
	"testing"
	"time"
)

func TestRequestIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := newRequestID(epoch)
		at, ok := issuedAt(id)
		if !ok || at != epoch.UnixMilli() || seen[id] {
			t.Fatalf("%s: %d, %v", id, at, ok)
		}
		seen[id] = true
	}
	// The example of RFC 9562, appendix A.6.
	if at, ok := issuedAt("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"); !ok || !time.UnixMilli(at).UTC().Equal(time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC)) {
		t.Errorf("%d, %v", at, ok)
	}
}

func FuzzIssuedAt(f *testing.F) {
	f.Add("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
	f.Add("r1")
	f.Add("zzzzzzzz-zzzz-7zzz-8zzz-zzzzzzzzzzzz")
	f.Fuzz(func(t *testing.T, id string) {
		if at, ok := issuedAt(id); ok && (at < 0 || at >= 1<<48) {
			t.Errorf("%q was issued at %d", id, at)
		}
	})
}
