package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/honua-io/honua-gitops/internal/durable"
)

// counting is a disk that counts the syncs of the journal, and refuses the one with the number that it is told.
type counting struct {
	durable.Disk
	syncs, refused int
}

var errNoSpace = errors.New("no space left on device")

func (c *counting) OpenFile(name string, flag int, mode os.FileMode) (durable.File, error) {
	file, err := c.Disk.OpenFile(name, flag, mode)
	if err != nil || filepath.Base(name) != "journal.jsonl" {
		return file, err
	}
	return &countedJournal{file, c}, nil
}

type countedJournal struct {
	durable.File
	disk *counting
}

func (j *countedJournal) Sync() error {
	j.disk.syncs++
	if j.disk.syncs == j.disk.refused {
		return errNoSpace
	}
	return j.File.Sync()
}

// severalActivated is a lab in which some environments wait to be activated.
func severalActivated(t *testing.T, count int) (*lab, *counting) {
	t.Helper()
	var names []string
	for i := range count {
		names = append(names, fmt.Sprintf("env-%03d", i))
	}
	l, disk := newLabOf(t, names...), &counting{}
	l.disk = disk
	for _, name := range names {
		l.focus = name
		l.begin("points.geojson", "cities")
		l.activate()
	}
	return l, disk
}

// What a commit changes in many environments waits for the disk a few times, not twice for each; and each still has its
// Intent on disk before it is served, and its Active after (I2). After a restart all are served again with one wait for each batch.
func TestManyEnvironmentsShareTheirWaits(t *testing.T) {
	const count = activationBatch + 6
	l, disk := severalActivated(t, count)
	n := l.open()
	if behind, err := n.CatchUp(t.Context(), l.store.State()); behind || err != nil {
		t.Fatal(behind, err)
	}
	if disk.syncs != 4 {
		t.Errorf("%d syncs of the journal for %d environments, not 4", disk.syncs, count)
	}
	var want []string
	for _, size := range []int{activationBatch, count - activationBatch} {
		want = append(want, slices.Repeat([]string{"Intent 1"}, size)...)
		want = append(want, slices.Repeat([]string{"Active 1"}, size)...)
	}
	wantPhases(t, l, want...)
	if served := n.Serves(); len(served) != count || slices.ContainsFunc(served, func(s Serving) bool { return s.Problem != "" }) {
		t.Errorf("%+v", served)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	disk.syncs = 0
	n = l.open()
	defer func() { _ = n.Close() }()
	if served := n.Serves(); len(served) != count || disk.syncs != 2 {
		t.Errorf("after a restart: %d served, %d syncs", len(served), disk.syncs)
	}
}

// A journal that cannot be written ends the node, before anything is served (the first sync) or after (the second); the
// next process resumes what the disk has.
func TestJournalThatFailsUnderMany(t *testing.T) {
	for refused, recovered := range map[int]bool{1: true, 2: false} {
		t.Run(fmt.Sprint(refused), func(t *testing.T) {
			l, disk := severalActivated(t, 3)
			disk.refused = refused
			n := l.open()
			if _, err := n.CatchUp(t.Context(), l.store.State()); !errors.Is(err, ErrJournal) || !errors.Is(err, errNoSpace) {
				t.Fatalf("the node goes on: %v", err)
			}
			if _, _, serves := l.registry.Current("env-000"); serves == (refused == 1) {
				t.Errorf("sync %d fails; served: %v", refused, serves)
			}
			if served := n.Serves(); len(served) > 0 {
				t.Errorf("it reports %+v", served)
			}
			_ = n.Close()
			n = l.open()
			defer func() { _ = n.Close() }()
			if served := n.Serves(); len(served) != 3 {
				t.Errorf("the next process serves %+v", served)
			}
			phases := l.phases()
			want := "Resumed 1"
			if recovered {
				want += " recovered"
			}
			if got := phases[len(phases)-1]; got != want {
				t.Errorf("the journal ends with %q, not %q", got, want)
			}
		})
	}
}

// A look at a state from before a staging began does not throw away what was staged since.
func TestAnOldStateDropsNoNewStaging(t *testing.T) {
	l := newLab(t)
	n := l.open()
	defer func() { _ = n.Close() }()
	before := l.store.State()
	l.begin("points.geojson", "cities")
	answer, err := n.Stage(t.Context(), l.question())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.CatchUp(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if again, err := n.Stage(t.Context(), l.question()); err != nil || again != answer {
		t.Errorf("asked again, it staged anew: %v, %v", again, err)
	}
}
