package sim

// chaos lets things happen for a while, faults included.
func (w *world) chaos() {
	end := int(w.between(350, 700))
	for w.steps < end && w.step() {
	}
}

func (w *world) settle() {
	w.calm = true
}
