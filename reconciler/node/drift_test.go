package node

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// deployed is a node that serves the layers cities and roads of points.geojson.
func deployed(t *testing.T) (*lab, *Node) {
	t.Helper()
	l := newLab(t)
	n := l.open()
	t.Cleanup(l.run(n))
	l.begin("points.geojson", "cities", "roads")
	if answer, err := n.Stage(t.Context(), l.question()); err != nil || !answer.GetAccepted() {
		t.Fatalf("%v, %v", answer, err)
	}
	l.activate()
	l.awaitServing(n, 1)
	l.finish()
	return l, n
}

// look inspects now and returns the findings as text.
func look(t *testing.T, n *Node) []string {
	t.Helper()
	answer, err := n.InspectDrift(t.Context(), &pb.InspectDriftRequest{Environment: labEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	served := n.Serves()[0]
	if answer.GetNodeId() != "n1" || answer.GetActivationIndex() != 1 || answer.GetDigest() != served.Digest {
		t.Errorf("%v, served is %+v", answer, served)
	}
	var found []string
	for _, f := range answer.GetFindings() {
		text := f.GetKind() + " " + f.GetObject() + ": " + f.GetMessage()
		if f.GetCorrected() {
			text += " (put right)"
		}
		found = append(found, text)
	}
	return found
}

func count(t *testing.T, n *Node, kind string) DriftCount {
	t.Helper()
	for _, c := range n.DriftCounts() {
		if c.Environment == labEnvironment && c.Kind == kind {
			return c
		}
	}
	return DriftCount{}
}

func TestNothingDrifted(t *testing.T) {
	_, n := deployed(t)
	if found := look(t, n); len(found) != 0 {
		t.Errorf("%q", found)
	}
}

// A source that broke is reported layer by layer until it works again.
func TestSourceDrift(t *testing.T) {
	l, n := deployed(t)
	file := filepath.Join(l.dir, "data", "points.geojson")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The column has changed its type.
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(good), `"name":"a"`, `"name":12345`)), 0o600); err != nil {
		t.Fatal(err)
	}
	found := look(t, n)
	if len(found) != 2 || !strings.HasPrefix(found[0], `source cities: layer "cities"`) || !strings.Contains(found[1], "expected string") {
		t.Errorf("%q", found)
	}
	if drift := n.Serves()[0].Drift; !strings.Contains(drift, "layer cities: ") || !strings.Contains(drift, "layer roads: ") {
		t.Errorf("status says %q", drift)
	}
	if status, _ := n.GetNodeStatus(t.Context(), &pb.GetNodeStatusRequest{}); status.GetServes()[0].GetHealthy() {
		t.Error("the node calls itself healthy")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if found := look(t, n); len(found) != 2 || !strings.Contains(found[0], "does not exist") {
		t.Errorf("%q", found)
	}
	if c := count(t, n, DriftSource); c.Open != 2 || c.Found != 2 || c.Corrected != 0 {
		t.Errorf("%+v: what stays broken is found once", c)
	}
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if found := look(t, n); len(found) != 0 || n.Serves()[0].Drift != "" || count(t, n, DriftSource).Open != 0 {
		t.Errorf("%q, %q after it was mended", found, n.Serves()[0].Drift)
	}
}

// A catalog that is not what its content says is built anew (I6), and that is no activation (I2).
func TestCatalogDriftIsCorrected(t *testing.T) {
	l, n := deployed(t)
	current, release, _ := l.registry.Current(labEnvironment)
	current.Model().Services[0].Layers[0].Title = "something else"
	release()
	found := look(t, n)
	if !slices.Equal(found, []string{"catalog my-env: what is served is not what its content says (put right)"}) {
		t.Errorf("%q", found)
	}
	mended, release, _ := l.registry.Current(labEnvironment)
	defer release()
	if title := mended.Model().Services[0].Layers[0].Title; title != "cities" || mended == current {
		t.Errorf("the title is %q", title)
	}
	if got := l.phases(); !slices.Equal(got, []string{"Intent 1", "Active 1", "Resumed 1"}) {
		t.Errorf("journal %q", got)
	}
	if c := count(t, n, DriftCatalog); c.Found != 1 || c.Corrected != 1 || c.Open != 0 {
		t.Errorf("%+v", c)
	}
	if found := look(t, n); len(found) != 0 {
		t.Errorf("%q afterwards", found)
	}
}

// A registry that lost what it served, or serves something else, is set right too.
func TestAnotherCatalogIsReplaced(t *testing.T) {
	l, n := deployed(t)
	l.registry.Swap(labEnvironment, nil)
	if found := look(t, n); !slices.Equal(found, []string{"catalog my-env: nothing is served (put right)"}) {
		t.Errorf("%q", found)
	}
	if digest, _ := l.registry.Digest(labEnvironment); digest != n.Serves()[0].Digest {
		t.Errorf("serves %q", digest)
	}
}

// A stored content that is damaged or gone is written again from the replicated state.
func TestContentDriftIsCorrected(t *testing.T) {
	l, n := deployed(t)
	path := n.bundles.path(n.Serves()[0].Digest)
	for what, harm := range map[string]func() error{
		"damaged": func() error { return os.WriteFile(path, []byte("HONUABND00000000garbage"), 0o600) },
		"gone":    func() error { return os.Remove(path) },
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		found := look(t, n)
		if len(found) != 1 || !strings.HasPrefix(found[0], "content "+n.Serves()[0].Digest) || !strings.HasSuffix(found[0], "(put right)") {
			t.Errorf("%s: %q", what, found)
		}
		if _, err := n.bundles.get(n.Serves()[0].Digest); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := l.phases(); len(got) != 2 {
		t.Errorf("journal %q", got)
	}
}

// A look at the files brings them into step with the state first: a file that was not there yet is no drift, and what
// is edited after the answer is found by the next one.
func TestFilesAreInStepBeforeTheAnswer(t *testing.T) {
	l := newLab(t)
	n := l.open() // nothing writes files of its own accord
	t.Cleanup(func() { _ = n.Close() })
	l.begin("points.geojson", "cities")
	ask := fileQuestion{environment: labEnvironment, answer: make(chan []Drift, 1)}
	n.views.answer(t.Context(), ask)
	if found := <-ask.answer; len(found) != 0 {
		t.Errorf("%+v", found)
	}
	shown, err := os.ReadFile(filepath.Join(l.dir, "state", labEnvironment+".json"))
	if err != nil || !strings.Contains(string(shown), `"id": "`+l.environment().Operation.TargetID+`"`) {
		t.Errorf("the file shows %s, %v", shown, err)
	}
}

// A state file that was edited or deleted, with its directory too, is written again.
func TestFileDriftIsCorrected(t *testing.T) {
	l, n := deployed(t)
	if found := look(t, n); len(found) != 0 {
		t.Fatalf("%q", found) // the files are written now: the question went through their writer
	}
	path := filepath.Join(l.dir, "state", labEnvironment+".json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, harm := range map[string]func() error{
		"edited":       func() error { return os.WriteFile(path, []byte(`{"health":"Fine"}`), 0o600) },
		"no directory": func() error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		if found := look(t, n); !slices.Equal(found, []string{"file " + path + ": the file was not as it was written (put right)"}) {
			t.Errorf("%s: %q", what, found)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != string(good) {
			t.Errorf("%s: %s, %v", what, got, err)
		}
	}
	if c := count(t, n, DriftFile); c.Found != 2 || c.Corrected != 2 {
		t.Errorf("%+v", c)
	}
}

func TestDriftOfAnUnknownEnvironment(t *testing.T) {
	_, n := deployed(t)
	if _, err := n.InspectDrift(t.Context(), &pb.InspectDriftRequest{Environment: "other"}); err == nil {
		t.Error("an environment that is not served was inspected")
	}
}

// A probe of what was served before says nothing about what is served now.
func TestDriftOfAnEarlierActivationIsDropped(t *testing.T) {
	n := &Node{serves: map[string]serving{}, advanced: make(chan struct{})}
	n.note("production", serving{Entry: Entry{ActivationIndex: 4}})
	if n.noteDrift(Serving{Environment: "production", ActivationIndex: 3}, "layer roads: gone") {
		t.Error("the drift of activation 3 was put down to activation 4")
	}
}

func TestDriftMessageIsBounded(t *testing.T) {
	many := strings.Split("a b c d e f g h i j", " ")
	if got, want := driftMessage(many), "a; b; c; d; e; f; g; h; and 2 more"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
