package plan

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestASeedIsASchedule(t *testing.T) {
	c := Config{Seed: 7, Length: 5 * time.Minute, Nodes: 5, Kinds: Kinds(), Windows: []string{"a", "b", "c"}}
	first := Make(c)
	if !reflect.DeepEqual(first, Make(c)) {
		t.Error("one seed gave two schedules")
	}
	c.Seed = 8
	if reflect.DeepEqual(first, Make(c)) {
		t.Error("two seeds gave one schedule")
	}
}

func TestSchedules(t *testing.T) {
	for seed := range uint64(50) {
		c := Config{Seed: seed, Length: 3 * time.Minute, Nodes: 3, Kinds: Kinds(), Windows: []string{"a", "b", "c"}}
		faults := Make(c)
		if len(faults) < 20 {
			t.Fatalf("seed %d: %d faults in three minutes", seed, len(faults))
		}
		seen, most := map[Kind]int{}, 0
		for i, f := range faults {
			seen[f.Kind]++
			overlapping := 0
			for _, other := range faults {
				if other.At <= f.At && f.At < other.End() {
					overlapping++
				}
			}
			most = max(most, overlapping)
			switch {
			case overlapping > atMost:
				t.Errorf("seed %d: %d faults at %s", seed, overlapping, f.At)
			case f.End() > c.Length || f.For <= 0 || f.Node < 0 || f.Node >= c.Nodes || f.Number != i:
				t.Errorf("seed %d: %+v", seed, f)
			case f.Kind == Window && !slices.Contains(c.Windows, f.Variant):
				t.Errorf("seed %d: window %q", seed, f.Variant)
			}
		}
		for _, kind := range Kinds() {
			if seen[kind] == 0 {
				t.Errorf("seed %d: no %s among %d faults", seed, kind, len(faults))
			}
		}
		if most < 2 {
			t.Errorf("seed %d: nothing overlaps", seed)
		}
	}
}

func TestParseKinds(t *testing.T) {
	kinds, err := ParseKinds("kill, pause,kill")
	if err != nil || !slices.Equal(kinds, []Kind{Kill, Pause}) {
		t.Errorf("%v, %v", kinds, err)
	}
	if all, err := ParseKinds(Join(Kinds())); err != nil || !slices.Equal(all, Kinds()) {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := ParseKinds("kill,meteor"); err == nil {
		t.Error("meteor was accepted")
	}
	if none := Make(Config{Length: time.Minute, Nodes: 3}); len(none) != 0 {
		t.Errorf("faults without kinds: %v", none)
	}
}

func TestParseCounts(t *testing.T) {
	counts, err := ParseCounts("leader=120,pause=20")
	if err != nil || !reflect.DeepEqual(counts, map[Kind]int{Leader: 120, Pause: 20}) {
		t.Errorf("%v, %v", counts, err)
	}
	if counts, err := ParseCounts(""); err != nil || len(counts) > 0 {
		t.Errorf("of nothing: %v, %v", counts, err)
	}
	for _, bad := range []string{"leader", "leader=", "leader=0", "leader=-1", "crash=1", "all=1", "leader=1,"} {
		if counts, err := ParseCounts(bad); err == nil {
			t.Errorf("%q: %v", bad, counts)
		}
	}
}
