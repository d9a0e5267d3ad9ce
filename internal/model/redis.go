package model

// A run is one step of a world under way.
type run struct {
	c *config
	w *world
	// fault is what the step has broken; "" nothing.
	fault string
}

// answer queues what Redis sends over link i.
func (r *run) answer(i int, m message) {
	c := &r.w.links[i]
	c.down[c.downs] = m
	c.downs++
}

// push tells all who track k that it has changed. The writer, an instance or
// nobody (-1), has had its answer already: Redis sends that first.
func (r *run) push(k key) {
	for i := range r.w.links {
		if c := &r.w.links[i]; c.tracks[k] {
			c.tracks[k] = false
			r.answer(i, message{op: opPush, key: k})
		}
	}
}

// serve executes the command at the head of what was sent over link i.
func (r *run) serve(i int) {
	c := &r.w.links[i]
	m := c.up[0]
	done := r.execute(i, &m)
	if !done {
		c.up[0] = m
		return
	}
	copy(c.up[:], c.up[1:c.ups])
	c.ups--
	c.up[c.ups] = message{}
}

// serveZombie executes a command whose connection is gone.
func (r *run) serveZombie(i int) {
	at := &r.w.links[i]
	m := at.zombies[0]
	if !r.execute(-1, &m) {
		at.zombies[0] = m
		return
	}
	copy(at.zombies[:], at.zombies[1:at.zombie])
	at.zombie--
	at.zombies[at.zombie] = message{}
}

// execute runs m, or the next command of a pipeline, and reports whether that
// was all. i is the link that gets the answer, or -1.
func (r *run) execute(i int, m *message) (done bool) {
	switch m.op {
	case opRead, opAsk:
		r.read(i, m)
	case opBeat:
		r.answer(i, *m)
	case opOpen:
		r.logOpen(i, m)
	case opLease:
		r.acquire(i, m)
	case opCommit:
		r.commit(i, m)
	case opHold:
		r.release(m)
	case opDrop:
		r.drop(i, m)
	case opUnlink:
		return r.unlink(i, m)
	case opSoft:
		return r.soften(i, m)
	case opLog:
		return r.logPurge(i, m)
	}
	return true
}

func (r *run) reply(i int, m *message, arg ...uint8) {
	if i < 0 {
		return
	}
	a := message{op: m.op, who: m.who, key: m.key}
	copy(a.arg[:], arg)
	r.answer(i, a)
}

func (r *run) read(i int, m *message) {
	d := &r.w.redis
	if m.op == opRead {
		r.w.links[i].tracks[m.key] = true
	}
	switch m.key {
	case keyBase:
		r.reply(i, m, uint8(d.base), d.mark)
	case keyLog:
		r.reply(i, m, d.log.pack()...)
	default:
		r.reply(i, m, uint8(d.variant[m.key-keyVariant]))
	}
}

func (l *log) pack() []uint8 {
	if !l.set {
		return nil
	}
	return []uint8{1, l.inc, l.head, l.floor, l.hard, l.soft}
}

func unpack(a [6]uint8) log { return log{a[0] != 0, a[1], a[2], a[3], a[4], a[5]} }
