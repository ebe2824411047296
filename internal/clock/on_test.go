//go:build chaos

package clock

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAWrongClockStillMeasures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clock")
	t.Setenv(FileVariable, path)
	for text, want := range map[string]time.Duration{"7200": 2 * time.Hour, "-90\n": -90 * time.Second, "": 0, "soon": 0} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		before, real := Now(), time.Now()
		if off := time.Duration(before.UnixNano() - real.UnixNano()); off < want-time.Second || off > want+time.Second {
			t.Errorf("%q: off by %s", text, off)
		}
		if err := os.WriteFile(path, []byte("86400"), 0o600); err != nil {
			t.Fatal(err)
		}
		if passed := Now().Sub(before); passed < 0 || passed > time.Minute {
			t.Errorf("%q: a jump took %s", text, passed)
		}
	}
}
