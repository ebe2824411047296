package sim

import "math/rand/v2"

// chances is where all decisions of a run come from. Each event draws from a
// sequence of its own, which its key begins: what happens in one event does not
// depend on what was drawn in others, so that the shrinker can take one away and
// the rest stays.
type chances struct {
	source *rand.PCG
	random *rand.Rand
	seed   uint64
	// key is of the event that happens, children counts the events that it
	// planned, harms the harms that it decided on.
	key, children, harms uint64
}

func newChances(seed uint64) chances {
	source := rand.NewPCG(seed, 0x9e3779b97f4a7c15)
	return chances{source: source, random: rand.New(source), seed: seed, key: 1}
}

// begin lets an event draw.
func (c *chances) begin(key uint64) {
	c.key, c.children, c.harms = key, 0, 0
	c.source.Seed(c.seed, key)
}

// child is the key of the next event that this one plans.
func (c *chances) child() uint64 {
	c.children++
	return mixed(c.key, c.children)
}

// mixed is the finalizer of SplitMix64 over two numbers.
func mixed(a, b uint64) uint64 {
	z := a + b*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// chance is true with a probability; never once the run is calm.
func (w *world) chance(p float64) bool { return !w.calm && w.random.Float64() < p }

// harm is chance for what breaks something. It is counted, and the shrinker may
// take it away.
func (w *world) harm(p float64, what string) bool { return w.chance(p) && w.happens(what) }

// happens reports whether something that was decided on takes place.
func (w *world) happens(what string) bool {
	w.chances.harms++
	id := mixed(w.key, ^w.chances.harms)
	if w.config.without[id] {
		return false
	}
	w.count(what)
	if w.config.recorded {
		w.done = append(w.done, harm{id, what})
	}
	return true
}

// harm is something that was done to the cluster, or asked of it.
type harm struct {
	id   uint64
	what string
}

// between returns a number of at least low and at most high.
func (w *world) between(low, high int64) int64 { return low + w.random.Int64N(high-low+1) }

// pick returns one of several things.
func pick[T any](w *world, things []T) T { return things[w.random.IntN(len(things))] }
