package sim

// event is something that happens at a time. Events of the same time happen in
// the order in which they were planned.
type event struct {
	at    int64
	order uint64
	// key identifies the event by what led to it: the same in every run of a
	// seed, whatever else is left out.
	key uint64
	run func()
}

func (e event) before(o event) bool {
	return e.at < o.at || (e.at == o.at && e.order < o.order)
}

// queue is a binary heap of events.
type queue struct {
	events []event
	order  uint64
}

func (q *queue) push(at int64, key uint64, run func()) {
	q.order++
	q.events = append(q.events, event{at: at, order: q.order, key: key, run: run})
	for i := len(q.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q.events[i].before(q.events[parent]) {
			return
		}
		q.events[i], q.events[parent] = q.events[parent], q.events[i]
		i = parent
	}
}

func (q *queue) pop() (event, bool) {
	if len(q.events) == 0 {
		return event{}, false
	}
	first := q.events[0]
	last := len(q.events) - 1
	q.events[0] = q.events[last]
	q.events[last] = event{}
	q.events = q.events[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if q.events[child].before(q.events[least]) {
				least = child
			}
		}
		if least == i {
			return first, true
		}
		q.events[i], q.events[least] = q.events[least], q.events[i]
		i = least
	}
}
