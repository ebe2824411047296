package registry

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// At start-up an unreachable source makes its own layers unavailable, and it recovers by itself (I14).
func TestStructuralBuildRecoversByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver := &fakeDriver{}
		driver.down.Store(true)
		r, _ := newTestRegistry(t, driver, nil)
		c := mustBuild(t, r, "1", Structural, testModel(fakeSourceOf("cities", "a")))
		defer c.Release()
		if _, err := ask(t, c, "cities"); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("err = %v", err)
		}
		driver.down.Store(false)
		if _, err := ask(t, c, "cities"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("tried again at once: %v", err)
		}
		time.Sleep(time.Second + time.Millisecond)
		if _, err := ask(t, c, "cities"); err != nil {
			t.Errorf("did not recover: %v", err)
		}
	})
}
