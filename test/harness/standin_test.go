package harness

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestOutsideReportsAndCleansUp(t *testing.T) {
	var order []string
	var inner testing.TB
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := Outside(ctx, t.TempDir(), func(s testing.TB) {
		inner = s
		s.Cleanup(func() { order = append(order, "first") })
		s.Cleanup(func() { order = append(order, "second"); s.Error("late") })
		if first, second := s.TempDir(), s.TempDir(); first == second {
			t.Errorf("%s was given twice", first)
		}
		s.Errorf("problem %d", 1)
		s.Fatal("the end")
		t.Error("went on after Fatal")
	})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("%v", err)
	}
	if strings.Join(order, " ") != "second first" || !inner.Failed() || inner.Context() != ctx {
		t.Errorf("%v, failed %v", order, inner.Failed())
	}
}

func TestProtectLeavesOtherPanicsAlone(t *testing.T) {
	cause := errors.New("a bug")
	defer func() {
		if got := recover(); got != cause {
			t.Errorf("recovered %v", got)
		}
	}()
	_ = Protect(func() { panic(cause) })
}
