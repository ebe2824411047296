package sim

import "testing"

// A process that dies in a task which another task of it has woken dies whole, and both unwind. Stopped in the middle of
// its death, node2 of seed 1503417 kept what its first life had under way, and its second one never heard of the log again.
func TestDeathInATaskThatAnotherOneWoke(t *testing.T) {
	w := newWorld(t.Context(), newLibrary(t), Config{Seed: 1})
	n := w.nodes[0]
	for !n.up && w.step() {
	}
	n.pulling = true
	var wentOn []string
	n.run(func() {
		n.run(func() {
			n.die("of a test")
			wentOn = append(wentOn, "inner")
		})
		wentOn = append(wentOn, "outer")
	})
	if len(wentOn) > 0 {
		t.Errorf("after the death these went on: %v", wentOn)
	}
	if n.up || n.pulling || n.half != nil || len(n.tasks) > 0 || w.task != nil {
		t.Errorf("up %t, pulling %t, half %v, %d tasks, task %v", n.up, n.pulling, n.half, len(n.tasks), w.task)
	}
}
