package model

// decide is one turn of Group.load.
func (r *run) decide(q int) {
	x := &r.w.requests[q]
	switch x.state {
	case fresh:
		r.respond(q, r.value(x.seenBase, x.seenVariant), x.seenBase, true)
		r.done(q)
	case stale:
		r.respond(q, r.value(x.seenBase, x.seenVariant), x.seenBase, false)
		x.background = true
		x.must, x.due = 0, 0
		x.phase = phJoin
	default:
		x.phase = phJoin
	}
}

func (r *run) done(q int) { r.w.requests[q] = request{phase: phDone} }

// claim is exchange.Claim: the variant is known where the base is a record.
func (r *run) claim(q int) slot {
	if b := r.w.requests[q].seenBase; b != noStamp && r.w.fills[b].record {
		return r.variantOf(q)
	}
	return keyBase
}

func (r *run) own(q int) (stamp, *fill) {
	s := firstFill + stamp(q)
	return s, &r.w.fills[s]
}

// note is the end of Store.snapshot: S0.
func (r *run) note(q int, l log) {
	_, f := r.own(q)
	f.noted, f.inc, f.s0 = true, l.inc, l.head
	r.acquireFirst(q)
}

func (r *run) noteNothing(q int) {
	_, f := r.own(q)
	f.noted, f.inc, f.s0 = false, 0, 0
	r.acquireFirst(q)
}

// acquireFirst is lease.open. What is kept locally and known to be purged is in
// Redis most likely, and hides from the caller (Store.unusable).
func (r *run) acquireFirst(q int) {
	x := &r.w.requests[q]
	x.asked, x.askBase, x.askVariant = false, x.seenBase, x.seenVariant
	at := &r.w.at[r.instance(q)]
	if r.c.tags && x.seenBase == noStamp && at.base != noStamp && at.table.set && r.judge(&at.table, at.base, false) == purged {
		x.askBase = at.base
	}
	r.acquireAsk(q)
}

func (r *run) acquireAsk(q int) {
	x := &r.w.requests[q]
	x.phase, x.wait = phAcquire, waitScript
	s, _ := r.own(q)
	r.send(r.instance(q), keyBase, message{op: opLease, who: uint8(q + 1), key: x.slot, arg: [6]uint8{uint8(s), uint8(x.askBase), uint8(x.askVariant)}})
}

// acquired takes acquire.lua's answer.
func (r *run) acquired(q int, code uint8, base, variant stamp) {
	x := &r.w.requests[q]
	x.wait = waitNone
	switch {
	case code == 1:
		r.leased(q)
	case code == 0 && x.background:
		r.abandon(q)
	case code == 0:
		x.phase = phHeld
	case x.asked:
		r.changed(q)
	case base != x.askBase:
		if x.seenBase != noStamp {
			r.changed(q)
			return
		}
		x.nowVariant = variant
		r.reveal(q, keyBase, base)
	default:
		r.changedVariant(q, variant)
	}
}

func (r *run) changedVariant(q int, variant stamp) {
	x := &r.w.requests[q]
	x.nowVariant = noStamp
	if variant == noStamp || variant == x.askVariant {
		x.asked = true
		r.acquireAsk(q)
		return
	}
	if x.seenVariant != noStamp {
		r.changed(q)
		return
	}
	r.reveal(q, x.slot, variant)
}

// reveal is Store.hidden: is what the slot holds in Redis nothing that a look-up
// would find?
func (r *run) reveal(q int, k key, s stamp) {
	x := &r.w.requests[q]
	x.purpose, x.phase = toReveal, phBase
	if k != keyBase {
		x.phase = phVariant
	}
	x.base = s
	r.readTracked(q, k)
}

func (r *run) revealed(q int, v verdict) {
	x := &r.w.requests[q]
	got, wanted, base := x.got, x.base, x.phase == phBase
	x.got, x.gotMark = noStamp, 0
	r.clearLook(q)
	if got == noStamp && v == failedRead || got != noStamp && (got != wanted || v != purged) {
		r.changed(q)
		return
	}
	if base {
		x.askBase = wanted
		r.changedVariant(q, x.nowVariant)
		return
	}
	x.asked, x.askVariant = true, wanted
	r.acquireAsk(q)
}

// changed is store.ErrChanged: look again.
func (r *run) changed(q int) {
	x := &r.w.requests[q]
	if x.background {
		r.abandon(q)
		return
	}
	r.end(q, lookAgain)
	r.again(q)
}

// abandon ends a refresh that another does, or has done.
func (r *run) abandon(q int) {
	r.end(q, lookAgain)
	r.done(q)
}

// again lets a request look up once more.
func (r *run) again(q int) {
	x := &r.w.requests[q]
	*x = request{phase: phLook, must: x.must, due: x.due}
}

// leased begins the fill: R11's look comes first.
func (r *run) leased(q int) {
	x := &r.w.requests[q]
	old := r.value(x.seenBase, x.seenVariant)
	if !r.c.confirm || x.state == absent {
		r.begin(q)
		return
	}
	x.confirms, x.old = true, old
	if r.c.off.stillStored {
		r.begin(q)
		return
	}
	r.look(q, toConfirm)
}

func (r *run) confirmed(q int, same bool) {
	x := &r.w.requests[q]
	if !same {
		x.confirms, x.old = false, noStamp
	}
	r.begin(q)
}

// begin starts the handler. It comes at once after what leads to it: any later
// start could break less.
func (r *run) begin(q int) {
	x := &r.w.requests[q]
	_, f := r.own(q)
	f.started, f.made, f.confirmed, f.older = true, 0, 0, 0
	for s := range r.w.fills {
		if o := &r.w.fills[s]; o.started && o != f {
			f.older |= 1 << s
		}
	}
	if x.confirms {
		f.made = r.w.fills[x.old].made
	}
	x.phase = phHandler
}
