package model

// A verdict is what the log says of a value (purgelog.go).
type verdict uint8

const (
	unknown verdict = iota
	behind
	purged
	softened
	valid
	failedRead
)

// judge is purgeLog.judge. A Vary record, unlike the variant of the same fill,
// has no tags.
func (r *run) judge(l *log, s stamp, isVariant bool) verdict {
	f := &r.w.fills[s]
	inc, s0, hard, soft := f.inc, f.s0, l.floor, l.floor
	if isVariant || !f.record {
		hard, soft = max(l.floor, l.hard), max(l.floor, l.soft)
	}
	switch {
	case r.c.off.lostLog && !l.set:
		return valid
	case !l.set:
		return unknown
	case l.inc != inc && !r.c.off.inc:
		return purged
	case l.head < s0 && !r.c.off.highWater:
		return behind
	case hard > s0:
		return purged
	case soft > s0:
		return softened
	}
	return valid
}

// link returns the number of instance i's connection to the node of k.
func (c *config) link(i int, k key) int {
	if c.cluster && k == keyLog {
		return 2*i + 1
	}
	return 2 * i
}

func (r *run) conn(i int, k key) *conn { return &r.w.links[r.c.link(i, k)] }

// live is conn.live of the connection to the node of k.
func (r *run) live(i int, k key) bool {
	c := r.conn(i, k)
	return r.c.off.trustWindow || c.proof < r.c.trust && !c.suspect
}

func (r *run) instance(q int) int { return int(r.c.requests[q].at) }

func (r *run) variantOf(q int) slot { return keyVariant + slot(r.c.requests[q].variant) }

// send queues a command of instance i to the node of k.
func (r *run) send(i int, k key, m message) {
	c := r.conn(i, k)
	c.up[c.ups] = m
	c.ups++
}

// look begins a look-up (exchange.go, Lookup).
func (r *run) look(q int, why purpose) {
	x := &r.w.requests[q]
	x.purpose = why
	x.base, x.mark, x.variant = noStamp, 0, noStamp
	r.get(q, phBase)
}

// get is Store.lookup of one slot: the local tier, or a tracked read.
func (r *run) get(q int, p phase) {
	x := &r.w.requests[q]
	x.phase = p
	i := r.instance(q)
	at := &r.w.at[i]
	k, local, mark := keyBase, at.base, at.mark
	if p == phVariant {
		k = r.variantOf(q)
		local, mark = at.variant[k-keyVariant], 0
	}
	if local != noStamp && r.live(i, k) {
		x.got, x.gotMark = local, mark
		r.verify(q)
		return
	}
	r.readTracked(q, k)
}

// readTracked is DoCache with conn.Flight.
func (r *run) readTracked(q int, k key) {
	i := r.instance(q)
	x, c := &r.w.requests[q], r.conn(i, k)
	x.key = k
	if k == keyLog {
		x.high = r.w.at[i].high
	}
	f := &c.reads[k]
	switch {
	case c.suspect:
	case f.open && (f.age < r.c.deadline || r.c.off.joinYoung):
		x.wait = waitJoined
		return
	case !f.open:
		*f = read{open: true}
	}
	x.wait = waitOwn
	r.send(i, k, message{op: opRead, who: uint8(q + 1), key: k})
}

// ask reads without tracking, after errJoin.
func (r *run) ask(q int) {
	x := &r.w.requests[q]
	x.wait = waitAsked
	r.send(r.instance(q), x.key, message{op: opAsk, who: uint8(q + 1), key: x.key})
}

// read has brought something: the value of a slot, or the log.
func (r *run) arrived(q int, arg [6]uint8) {
	x := &r.w.requests[q]
	x.wait = waitNone
	if x.key == keyLog {
		r.takeLog(q, unpack(arg))
		return
	}
	x.got, x.gotMark = stamp(arg[0]), arg[1]
	if x.got == noStamp {
		r.found(q, unknown)
		return
	}
	r.verify(q)
}

// takeLog is Store.takeLog: a log that is missing, or behind what was seen of
// it, is opened.
func (r *run) takeLog(q int, l log) {
	x := &r.w.requests[q]
	if l.set && (l.head >= x.high || r.c.off.highWater) || r.c.off.lostLog && !l.set {
		r.useLog(q, l)
		return
	}
	x.wait = waitOpened
	high := r.w.at[r.instance(q)].high
	if r.c.off.highWater {
		high = 0
	}
	r.send(r.instance(q), keyLog, message{op: opOpen, who: uint8(q + 1), key: keyLog, arg: [6]uint8{high}})
}

// verify is Store.verify of what get has found.
func (r *run) verify(q int) {
	x := &r.w.requests[q]
	if !r.c.tags || r.c.off.verifyReads {
		r.found(q, valid)
		return
	}
	i := r.instance(q)
	if l := &r.w.at[i].table; l.set && r.live(i, keyLog) {
		if v := r.judge(l, x.got, x.phase == phVariant); v != behind {
			r.found(q, v)
			return
		}
	}
	r.readTracked(q, keyLog)
}

// useLog goes on where the log was wanted.
func (r *run) useLog(q int, l log) {
	x := &r.w.requests[q]
	x.wait = waitNone
	switch x.phase {
	case phNote:
		r.note(q, l)
	case phJudge, phSettle:
		r.judged(q, l)
	default:
		v := r.judge(&l, x.got, x.phase == phVariant)
		if x.behind {
			x.behind = false
			v = purged
		} else if v == behind {
			r.raise(q, r.w.fills[x.got].s0)
			return
		}
		r.found(q, v)
	}
}

// raise is the end of Store.judge: what has seen more of the log than Redis has
// is purged, and the log is raised over it.
func (r *run) raise(q int, s0 uint8) {
	x := &r.w.requests[q]
	at := &r.w.at[r.instance(q)]
	x.behind = true
	at.high = max(at.high, s0)
	r.readTracked(q, keyLog)
}

// missed goes on where a read or a script has failed.
func (r *run) missed(q int) {
	x := &r.w.requests[q]
	x.wait, x.behind = waitNone, false
	switch x.phase {
	case phNote:
		r.noteNothing(q)
	case phJudge:
		r.hold0(q)
		r.settled(q, commitUnknown)
	case phSettle:
		r.settled(q, commitUnknown)
	default:
		x.got = noStamp
		r.found(q, failedRead)
	}
}

// found goes on with the look-up: v is of x.got.
func (r *run) found(q int, v verdict) {
	x := &r.w.requests[q]
	if x.purpose == toReveal {
		r.revealed(q, v)
		return
	}
	usable := x.got != noStamp && (v == valid || v == softened)
	soft := v == softened
	got, mark := x.got, x.gotMark
	x.got, x.gotMark = noStamp, 0
	switch x.phase {
	case phBase:
		if !usable {
			r.looked(q, absent)
			return
		}
		x.base, x.mark = got, mark
		if r.w.fills[got].record {
			r.get(q, phAgain)
			return
		}
		r.looked(q, r.stateOf(got, soft || mark != 0))
	case phAgain:
		if !usable || got != x.base {
			r.looked(q, absent)
			return
		}
		x.gotMark = mark
		r.getVariant(q, mark)
	case phVariant:
		f := &r.w.fills[got]
		if !usable || f.of != x.base && !r.c.off.tie {
			r.looked(q, absent)
			return
		}
		x.variant = got
		r.looked(q, r.stateOf(got, soft || f.ref != x.againMark))
	}
}

// getVariant remembers the mark of the base as it was looked at again: Admit
// compares that one.
func (r *run) getVariant(q int, mark uint8) {
	x := &r.w.requests[q]
	x.gotMark, x.againMark = 0, mark
	r.get(q, phVariant)
}

// stateOf is what the client may do with the value (swr.Windows.At, and a soft
// purge caps it).
func (r *run) stateOf(s stamp, soft bool) state {
	switch {
	case !soft && !r.w.fills[s].aged:
		return fresh
	case r.c.swr:
		return stale
	default:
		return fallback
	}
}

// looked ends a look-up.
func (r *run) looked(q int, st state) {
	x := &r.w.requests[q]
	x.againMark = 0
	switch x.purpose {
	case toAnswer:
		x.state, x.seenBase, x.seenMark, x.seenVariant = st, x.base, x.mark, x.variant
		r.clearLook(q)
		r.decide(q)
	case toConfirm:
		same := st != absent && x.base == x.seenBase && x.variant == x.seenVariant
		r.clearLook(q)
		r.confirmed(q, same)
	case toRescue:
		s := r.value(x.base, x.variant)
		base := x.base
		r.clearLook(q)
		if st >= fallback {
			r.respond(q, s, base, st == fresh)
		}
		r.done(q) // what may not stand in is answered by a handler of its own, or an error
	}
}

func (r *run) value(base, variant stamp) stamp {
	if variant != noStamp {
		return variant
	}
	return base
}

func (r *run) clearLook(q int) {
	x := &r.w.requests[q]
	x.base, x.mark, x.variant, x.purpose, x.key = noStamp, 0, noStamp, toAnswer, keyBase
}
