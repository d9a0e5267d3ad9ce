package model

import (
	"hash/maphash"
	"time"
)

// A result says what an exploration has found.
type result struct {
	states int
	depth  int  // of the deepest state
	whole  bool // every state within the bounds was visited
	took   time.Duration
	fault  string // "" none
	trace  []step
}

// An explorer visits worlds breadth first. Of those visited it keeps 63 bits of
// hash each (hash compaction), so that among n states one is overlooked with a
// probability of about n²/2⁶⁴: for ten million, one in two hundred thousand.
type explorer struct {
	c       *config
	seed    maphash.Seed
	visited *set
	parents []uint32 // of the states by number, with the step that led there
	steps   []step
	next    queue // the level after the one that is being expanded
	found   *result
}

// explore visits the worlds of c, at most states of them and depth steps deep;
// 0: no bound.
func (c config) explore(states, depth int) result {
	c.trust, c.deadline = max(c.trust, 1), max(c.deadline, 1)
	e := &explorer{c: &c, seed: maphash.MakeSeed(), visited: newSet()}
	begun := time.Now()
	e.see(c.start(), 0, step{})
	level := 0
	for ; e.next.n > 0 && e.found == nil; level++ {
		if depth > 0 && level >= depth || states > 0 && len(e.parents) >= states {
			break
		}
		now := e.next
		e.next = queue{}
		now.all(e.expand)
	}
	res := result{states: len(e.parents), depth: level, whole: e.next.n == 0}
	if e.found != nil {
		res.fault, res.trace, res.whole = e.found.fault, e.found.trace, false
	}
	res.took = time.Since(begun)
	return res
}

// expand takes every step from w, the state of number n, up to one that is a fault.
func (e *explorer) expand(from *world, n uint32) bool {
	e.c.steps(from, func(s step) {
		if e.found != nil {
			return
		}
		w := *from
		r := run{c: e.c, w: &w}
		r.take(s)
		if r.fault != "" {
			e.found = &result{fault: r.fault, trace: append(e.way(n), s)}
			return
		}
		e.see(&w, n, s)
	})
	return e.found == nil
}

// see notes w, unless it is known.
func (e *explorer) see(w *world, parent uint32, s step) {
	w.tidy(e.c)
	if !e.visited.add(maphash.Comparable(e.seed, *w)) {
		return
	}
	e.next.put(w, uint32(len(e.parents)))
	e.parents = append(e.parents, parent)
	e.steps = append(e.steps, s)
}

// way returns the steps to the state of number n.
func (e *explorer) way(n uint32) (steps []step) {
	for ; n != 0; n = e.parents[n] {
		steps = append(steps, e.steps[n])
	}
	for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
		steps[i], steps[j] = steps[j], steps[i]
	}
	return steps
}

// tidy zeroes what cannot matter any more, so that more worlds are equal.
func (w *world) tidy(c *config) {
	used := w.referred()
	for q := range c.requests {
		s := firstFill + stamp(q)
		if w.requests[q].phase == phDone && !used[s] {
			w.forget(s)
		}
	}
	if !used[initial] {
		w.forget(initial)
	}
}

// forget strikes a fill that nothing refers to any more.
func (w *world) forget(s stamp) {
	w.fills[s] = fill{}
	for o := range w.fills {
		w.fills[o].older &^= 1 << s
	}
}

// referred tells which fills are mentioned anywhere.
func (w *world) referred() (used [maxFills + 1]bool) {
	d := &w.redis
	used[d.base] = true
	for v := range d.variant {
		used[d.variant[v]] = true
	}
	for _, s := range d.holder {
		used[s] = true
	}
	for i := range w.at {
		at := &w.at[i]
		used[at.base] = true
		for _, s := range at.variant {
			used[s] = true
		}
		at.put.refer(&used)
	}
	for i := range w.links {
		w.links[i].refer(&used)
	}
	for q := range w.requests {
		x := &w.requests[q]
		for _, s := range []stamp{x.got, x.base, x.variant, x.seenBase, x.seenVariant, x.askBase, x.askVariant, x.nowVariant, x.old} {
			used[s] = true
		}
	}
	return used
}

func (c *conn) refer(used *[maxFills + 1]bool) {
	for i := range c.ups {
		c.up[i].refer(used)
	}
	for i := range c.downs {
		c.down[i].refer(used)
	}
	for i := range c.zombie {
		c.zombies[i].refer(used)
	}
}

func (m *message) refer(used *[maxFills + 1]bool) {
	switch m.op {
	case opRead, opAsk:
		if m.key < keyLog {
			used[m.arg[0]] = true
		}
	case opLease, opCommit:
		used[m.arg[0]], used[min(m.arg[1], uint8(maxFills))], used[min(m.arg[2], uint8(maxFills))] = true, true, true
	case opHold, opDrop:
		used[m.arg[0]] = true
	}
}

// start is the world in which nothing has happened yet.
func (c *config) start() *world {
	w := &world{left: c.most}
	w.redis.log = log{set: true, inc: 1, head: 1, floor: 1}
	w.redis.replica = w.redis.log
	w.redis.now, w.redis.incs = 1, 1
	if !c.tags {
		w.redis = redis{}
	}
	if c.stored {
		w.fills[initial] = fill{started: true, noted: c.tags, aged: c.aged}
		if c.tags {
			w.fills[initial].inc, w.fills[initial].s0 = 1, 1
		}
		w.redis.base = initial
		if c.vary {
			w.fills[initial].record, w.fills[initial].of = true, initial
			for v := range w.redis.variant {
				w.redis.variant[v] = initial
			}
		}
	}
	if c.warm {
		for i := range w.at {
			c.warmUp(w, i)
		}
	}
	return w
}

func (c *config) warmUp(w *world, i int) {
	at := &w.at[i]
	link := &w.links[c.link(i, keyBase)]
	at.base, at.variant = w.redis.base, w.redis.variant
	link.tracks[keyBase] = true
	for v := range at.variant {
		link.tracks[keyVariant+key(v)] = c.vary
	}
	if c.tags {
		at.table, at.high = w.redis.log, w.redis.log.head
		w.links[c.link(i, keyLog)].tracks[keyLog] = true
	}
}

// A set of 64-bit hashes, with open addressing.
type set struct {
	slots []uint64
	n     int
}

func newSet() *set { return &set{slots: make([]uint64, 1<<12)} }

// add tells whether h is new.
func (s *set) add(h uint64) bool {
	h |= 1 // 0 is an empty slot
	if s.n*4 > len(s.slots)*3 {
		old := s.slots
		s.slots = make([]uint64, 2*len(old))
		for _, o := range old {
			if o != 0 {
				s.insert(o)
			}
		}
	}
	if !s.insert(h) {
		return false
	}
	s.n++
	return true
}

func (s *set) insert(h uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := (h >> 1) & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case 0:
			s.slots[i] = h
			return true
		case h:
			return false
		}
	}
}
