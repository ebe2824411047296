package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Nobody has to ask: on its interval a node reports what broke, puts right what it can, and notices that all is well.
func TestDriftIsFoundOnTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, n := deployed(t)
		wait := func() {
			time.Sleep(2*defaultProbeInterval + time.Second)
			synctest.Wait()
		}
		if wait(); n.Serves()[0].Drift != "" {
			t.Errorf("drift %q although everything works", n.Serves()[0].Drift)
		}
		file, state := filepath.Join(l.dir, "data", "points.geojson"), filepath.Join(l.dir, "state", labEnvironment+".json")
		if err := os.Rename(file, file+".away"); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(state); err != nil {
			t.Fatal(err)
		}
		l.registry.Swap(labEnvironment, nil)
		wait()
		if drift := n.Serves()[0].Drift; !strings.Contains(drift, "layer cities: ") || !strings.Contains(drift, "layer roads: ") {
			t.Errorf("drift %q", drift)
		}
		if _, err := os.Stat(state); err != nil {
			t.Error(err)
		}
		if digest, _ := l.registry.Digest(labEnvironment); digest != n.Serves()[0].Digest {
			t.Errorf("serves %q", digest)
		}
		if err := os.Rename(file+".away", file); err != nil {
			t.Fatal(err)
		}
		if wait(); n.Serves()[0].Drift != "" {
			t.Errorf("drift %q after it was mended", n.Serves()[0].Drift)
		}
	})
}
