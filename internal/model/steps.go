package model

// A step names one thing that may happen next.
type step struct {
	kind kind
	arg  uint8
}

type kind uint8

const (
	stepStart kind = iota
	stepLook
	stepJoin
	stepWake
	stepFinish
	stepFinishNew
	stepFinishSame
	stepFail
	stepRescue
	stepPurge
	stepServe
	stepZombie
	stepReceive
	stepPut
	stepBeat
	stepTick
	stepGiveUp
	stepShut
	stepLapse
	stepEvict
	stepEvictControl
	stepFailover
)

// steps calls f with every step that w allows.
func (c *config) steps(w *world, f func(step)) {
	for q := range c.requests {
		c.requestSteps(w, q, f)
	}
	for p := range c.purges {
		if u := &c.purges[p]; w.purges[p].phase == purgeIdle && c.room(w, int(u.at)) {
			f(step{stepPurge, uint8(p)})
		}
	}
	for i := range w.links {
		if c.cluster || i%2 == 0 {
			c.linkSteps(w, i, f)
		}
	}
	c.faultSteps(w, f)
}

// room tells whether instance i may send. What a step may send beside is kept
// free.
func (c *config) room(w *world, i int) bool {
	return w.links[2*i].ups+2 < maxUp && w.links[2*i+1].ups+2 < maxUp
}

func (c *config) requestSteps(w *world, q int, f func(step)) {
	x := &w.requests[q]
	n := uint8(q)
	if !c.room(w, int(c.requests[q].at)) {
		return
	}
	switch x.phase {
	case phIdle:
		// Clients that are alike come in the order of their numbers.
		for o := range q {
			if c.requests[o] == c.requests[q] && w.requests[o].phase == phIdle {
				return
			}
		}
		f(step{stepStart, n})
	case phLook:
		f(step{stepLook, n})
	case phJoin:
		f(step{stepJoin, n})
	case phHeld:
		// Wait returns once another, or nobody, has the lease. That it finds
		// out by a read and a push would only make it later.
		if w.redis.holder[x.slot] == noStamp || w.redis.lapsed[x.slot] {
			f(step{stepWake, n})
		}
	case phHandler:
		f(step{stepFinish, n})
		if c.vary && c.grow && x.slot != keyBase {
			f(step{stepFinishNew, n})
		}
		if c.plain && x.slot == keyBase {
			f(step{stepFinishSame, n})
		}
		if w.left.fails > 0 {
			f(step{stepFail, n})
		}
	case phRescue:
		f(step{stepRescue, n})
	}
	if x.wait != waitNone && w.left.giveUps > 0 && (c.scripts || x.wait == waitOwn) {
		f(step{stepGiveUp, n})
	}
}

func (c *config) linkSteps(w *world, i int, f func(step)) {
	l, n, at := &w.links[i], uint8(i), i/2
	if l.ups > 0 && c.pushable(w) {
		f(step{stepServe, n})
	}
	if l.zombie > 0 && c.pushable(w) {
		f(step{stepZombie, n})
	}
	if l.downs > 0 && c.room(w, at) {
		f(step{stepReceive, n})
	}
	if i%2 == 0 && w.at[at].put.op != opNone {
		f(step{stepPut, uint8(at)})
	}
	// A heartbeat that can prove nothing new is left out.
	if (l.proof > 0 || l.suspect) && l.beats < c.beats[at] && c.room(w, at) {
		f(step{stepBeat, n})
	}
	if w.left.breaks > 0 && (c.breaksAt == 0 || c.breaksAt&(1<<at) != 0) && c.room(w, at) {
		f(step{stepShut, n})
	}
}

// pushable tells whether all have room for what one command makes Redis send.
func (c *config) pushable(w *world) bool {
	for i := range w.links {
		if w.links[i].downs+3 > maxDown {
			return false
		}
	}
	return true
}

func (c *config) faultSteps(w *world, f func(step)) {
	if w.left.ticks > 0 {
		f(step{stepTick, 0})
	}
	if w.left.lapses > 0 {
		for s := range w.redis.holder {
			if w.redis.holder[s] != noStamp && !w.redis.lapsed[s] {
				f(step{stepLapse, uint8(s)})
			}
		}
	}
	if w.left.failovers > 0 && w.redis.replica != w.redis.log && c.pushable(w) {
		f(step{stepFailover, 0})
	}
	if w.left.evictions == 0 || !c.pushable(w) {
		return
	}
	for _, k := range c.evict {
		if w.holds(k) {
			f(step{stepEvict, uint8(k)})
		}
	}
	if c.control && w.redis.holder != [maxSlots]stamp{} {
		f(step{stepEvictControl, 0})
	}
}

func (w *world) holds(k key) bool {
	switch k {
	case keyBase:
		return w.redis.base != noStamp
	case keyLog:
		return w.redis.log.set
	default:
		return w.redis.variant[k-keyVariant] != noStamp
	}
}

// take does s.
func (r *run) take(s step) {
	n := int(s.arg)
	switch s.kind {
	case stepStart:
		r.begun(n)
		r.look(n, toAnswer)
	case stepLook:
		r.look(n, toAnswer)
	case stepJoin:
		r.join(n)
	case stepWake:
		r.end(n, lookAgain)
		r.again(n)
	case stepFinish:
		r.finish(n, answers)
	case stepFinishNew:
		r.finish(n, answersNew)
	case stepFinishSame:
		r.finish(n, answersSame)
	case stepFail:
		r.w.left.fails--
		r.finish(n, fails)
	case stepRescue:
		r.look(n, toRescue)
	case stepPurge:
		r.startPurge(n)
	case stepServe:
		r.serve(n)
	case stepZombie:
		r.serveZombie(n)
	case stepReceive:
		r.receive(n)
	case stepPut:
		r.callerPuts(n)
	case stepBeat:
		r.beat(n)
	default:
		r.fail(s)
	}
}

// fail does what comes from outside.
func (r *run) fail(s step) {
	n, left := int(s.arg), &r.w.left
	switch s.kind {
	case stepTick:
		left.ticks--
		r.tick()
	case stepGiveUp:
		left.giveUps--
		r.giveUp(n)
	case stepShut:
		left.breaks--
		r.shut(n)
	case stepLapse:
		left.lapses--
		r.w.redis.lapsed[n] = true
	case stepEvict:
		left.evictions--
		r.evict(key(n))
	case stepEvictControl:
		left.evictions--
		r.unlinkLeases()
	case stepFailover:
		left.failovers--
		r.w.redis.log = r.w.redis.replica
		for i := range r.w.at {
			r.shut(r.c.link(i, keyLog))
		}
	}
}

func (r *run) evict(k key) {
	d := &r.w.redis
	switch k {
	case keyBase:
		d.base, d.mark = noStamp, 0
	case keyLog:
		d.log, d.replica = log{}, log{}
	default:
		d.variant[k-keyVariant] = noStamp
	}
	r.push(k)
}
