package node

import (
	"testing"
)

// While a node activates what an older state named, it stages the next content:
// deleting old contents leaves that one alone. Otherwise the node would reject
// it, and the digest would be held. Found by the simulator.
func TestPruneKeepsWhatIsBeingStaged(t *testing.T) {
	l := newLab(t)
	l.begin("points.geojson", "first")
	n := l.open()
	staged, err := n.Stage(t.Context(), l.question())
	if err != nil || !staged.GetAccepted() {
		t.Fatal(staged, err)
	}
	l.activate()
	older := l.store.State()
	l.finish()
	l.begin("points.geojson", "second")
	digest := l.environment().Operation.Digest
	stored := l.store.State().Bundle(digest)
	if older.Bundle(digest) != nil {
		t.Fatal("the older state knows the second content")
	}
	if err := n.bundles.put(digest, stored.Compressed, stored.RawSize); err != nil {
		t.Fatal(err)
	}
	if _, err := n.CatchUp(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	if l.environment().Active.Index != 1 || len(n.Serves()) != 1 {
		t.Fatalf("the older state was not acted on: %+v", n.Serves())
	}
	if _, err := n.bundles.get(digest); err != nil {
		t.Errorf("the content that is being staged is gone: %v", err)
	}
}
