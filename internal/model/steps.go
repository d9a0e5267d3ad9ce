package model

import "fmt"

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

var stepNames = [...]string{
	stepStart: "request %d begins", stepLook: "request %d looks again", stepJoin: "request %d looks for a flight",
	stepWake: "request %d need not wait for the lease any more", stepFinish: "the handler of request %d answers",
	stepFinishNew: "the handler of request %d answers, and varies by more", stepFinishSame: "the handler of request %d answers without Vary",
	stepFail: "the handler of request %d fails", stepRescue: "request %d looks for what may stand in",
	stepPurge: "purge %d begins", stepServe: "Redis executes for instance %d: ", stepZombie: "Redis executes what instance %d sent before it lost its connection: ",
	stepReceive: "instance %d receives: ", stepPut: "a caller at instance %d puts what it read", stepBeat: "instance %d sends a heartbeat",
	stepTick: "time passes", stepGiveUp: "request %d gives its read up", stepShut: "instance %d loses a connection",
	stepLapse: "the lease of the %s lapses", stepEvict: "Redis evicts the ", stepEvictControl: "Redis evicts the control key",
	stepFailover: "a failover brings an older log back",
}

func (s step) describe(w *world) string {
	text := stepNames[s.kind]
	switch i := s.arg; s.kind {
	case stepTick, stepFailover, stepEvictControl:
		return text
	case stepEvict:
		return text + keyNames[i]
	case stepLapse:
		return fmt.Sprintf(text, keyNames[i])
	case stepServe:
		return fmt.Sprintf(text, i/2+1) + w.links[i].up[0].String()
	case stepZombie:
		return fmt.Sprintf(text, i/2+1) + w.links[i].zombies[0].String()
	case stepReceive:
		return fmt.Sprintf(text, i/2+1) + w.links[i].down[0].String()
	case stepBeat, stepShut:
		return fmt.Sprintf(text, i/2+1)
	}
	return fmt.Sprintf(text, s.arg+1)
}

var opNames = [...]string{
	opRead: "tracked read", opAsk: "read", opBeat: "heartbeat", opOpen: "LOGOPEN", opLease: "ACQUIRE", opCommit: "COMMIT",
	opHold: "HOLD 0", opDrop: "DROP", opUnlink: "UNLINK control, UNLINK base, EXISTS", opSoft: "SOFT, EXISTS", opLog: "LOGPURGE, EXISTS", opPush: "push",
}

var keyNames = [...]string{"base", "variant 1", "variant 2", "log"}

func (m message) String() string {
	switch m.op {
	case opBeat:
		return opNames[m.op]
	case opUnlink, opSoft, opLog:
		return fmt.Sprintf("%s of purge %d %v", opNames[m.op], m.who, m.arg)
	case opPush:
		return "push of " + keyNames[m.key]
	}
	return fmt.Sprintf("%s of %s for request %d %v", opNames[m.op], keyNames[m.key], m.who, m.arg)
}
