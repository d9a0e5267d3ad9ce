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

// join is Group.join.
func (r *run) join(q int) {
	x := &r.w.requests[q]
	x.slot = r.claim(q)
	i := r.instance(q)
	if l := r.w.at[i].flights[x.slot]; l != 0 {
		f := &r.w.requests[l-1]
		if !f.offline || f.age < r.c.trust || r.c.off.trustUnknown {
			if x.background {
				r.done(q)
				return
			}
			x.phase, x.leader = phFollow, l
			x.late = f.sealed && !r.c.off.seal
			x.early = f.age < r.c.trust || r.c.off.trustUnknown
			return
		}
	}
	r.w.at[i].flights[x.slot] = uint8(q + 1)
	x.age, x.sealed, x.offline, x.purged = 0, false, false, false
	if !r.c.tags || r.c.off.noteFirst {
		r.acquireFirst(q)
		return
	}
	x.phase = phNote
	if l := &r.w.at[i].table; l.set {
		r.note(q, *l)
		return
	}
	r.readTracked(q, keyLog)
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

// An ending is how a handler may end.
type ending uint8

const (
	answers     ending = iota
	answersNew         // with a new record, where there is one
	answersSame        // without Vary
	fails
)

// finish is the end of Fill, and settle up to the commit.
func (r *run) finish(q int, how ending) {
	x := &r.w.requests[q]
	s, f := r.own(q)
	if how == fails {
		r.hold0(q)
		r.end(q, failed)
		r.rescue(q)
		return
	}
	varies := r.c.vary && how != answersSame
	known := x.slot != keyBase
	f.record = varies && (!known || how == answersNew)
	if varies {
		f.of, f.ref = s, 0
		if !f.record {
			f.of, f.ref = x.seenBase, x.seenMark
		}
	}
	x.sealed = true
	switch {
	case x.offline:
		r.settled(q, commitUnknown)
	case !r.c.tags:
		r.writeCommit(q)
	case !f.noted && !r.c.off.noteFirst:
		r.hold0(q)
		r.settled(q, commitUnknown)
	default:
		x.phase = phJudge
		r.judgeCommit(q)
	}
}

// judgeCommit is lease.verdict: from the table, or from the log read anew.
func (r *run) judgeCommit(q int) {
	i := r.instance(q)
	s, f := r.own(q)
	if l := r.w.at[i].table; l.set && r.live(i, keyLog) {
		if r.c.off.noteFirst && !f.noted || r.judge(&l, s, true) != behind {
			r.judged(q, l)
			return
		}
	}
	r.readTracked(q, keyLog)
}

// judged goes on with a commit once the log has been looked at.
func (r *run) judged(q int, l log) {
	x := &r.w.requests[q]
	s, f := r.own(q)
	if r.c.off.noteFirst && !f.noted {
		f.noted, f.inc, f.s0 = true, l.inc, l.head
	}
	v := r.judge(&l, s, true)
	if r.c.off.verifyCommit {
		v = valid
	}
	switch {
	case x.behind:
		x.behind = false
		v = purged
	case v == behind:
		r.raise(q, f.s0)
		return
	}
	if x.phase == phJudge {
		if v != valid {
			r.hold0(q)
			r.settled(q, commitOvertaken)
			return
		}
		x.inc, x.head = l.inc, l.head
		r.writeCommit(q)
		return
	}
	switch {
	case v == purged, v == softened && x.askBase == noStamp:
		x.phase, x.wait = phDrop, waitScript
		r.send(r.instance(q), keyBase, message{op: opDrop, who: uint8(q + 1), arg: [6]uint8{uint8(s)}})
	case v == softened:
		r.settled(q, commitOvertaken)
	default:
		r.settled(q, commitStored)
	}
}

// writeCommit sends commit.lua.
func (r *run) writeCommit(q int) {
	x := &r.w.requests[q]
	s, f := r.own(q)
	var what uint8
	to := keyBase
	if f.of != noStamp {
		what |= newVariant
		to = r.variantOf(q)
	}
	if f.record || f.of == noStamp {
		what |= newBase
	}
	if r.c.tags && !r.c.cluster && !r.c.off.verifyCommit {
		what |= seesLog
	}
	if x.confirms && !r.c.off.sameBase {
		what |= sameBase
	}
	if x.confirms && r.c.off.leaseFor304 {
		what |= leaseless
	}
	x.phase, x.wait = phCommit, waitScript
	r.send(r.instance(q), keyBase, message{
		op: opCommit, who: uint8(q + 1), key: x.slot,
		arg: [6]uint8{uint8(s), uint8(x.askBase), what, uint8(to), x.inc, x.head},
	})
}

// committed takes commit.lua's answer.
func (r *run) committed(q int, code uint8) {
	x := &r.w.requests[q]
	x.wait = waitNone
	_, f := r.own(q)
	switch code {
	case 0:
		r.settled(q, commitOvertaken)
	case 2:
		x.phase = phJudge
		r.judgeCommit(q)
	default:
		at := &r.w.at[r.instance(q)]
		r.dropLocal(at, x.slot) // dropReplaced
		if f.record || f.of == noStamp {
			r.dropLocal(at, keyBase)
		}
		if f.of != noStamp {
			r.dropLocal(at, r.variantOf(q))
		}
		if !r.c.tags {
			r.settled(q, commitStored)
			return
		}
		x.phase = phSettle
		r.judgeCommit(q)
	}
}

func (r *run) dropLocal(at *instance, k key) {
	switch k {
	case keyBase:
		at.base, at.mark = noStamp, 0
	case keyLog:
		at.table = log{}
	default:
		at.variant[k-keyVariant] = noStamp
	}
}

// hold0 ends the lease behind the fill: its answer is not waited for here, which
// only lets the followers wake earlier.
func (r *run) hold0(q int) {
	s, _ := r.own(q)
	r.send(r.instance(q), keyBase, message{op: opHold, key: r.w.requests[q].slot, arg: [6]uint8{uint8(s)}})
}

// An outcome is what became of a commit.
type outcome uint8

const (
	commitStored outcome = iota
	commitOvertaken
	commitUnknown
)

// settled is the end of Commit and of settle.
func (r *run) settled(q int, o outcome) {
	x := &r.w.requests[q]
	if o == commitUnknown && x.purged && !r.c.off.ownPurges {
		o = commitOvertaken
	}
	s, f := r.own(q)
	v := committed
	switch o {
	case commitOvertaken:
		v = lookAgain
		if r.c.off.outcome {
			v = committed
		}
	case commitUnknown:
		v = uncertain
	}
	r.end(q, v)
	if !x.background {
		base := s
		if f.of != noStamp {
			base = f.of
		}
		r.respond(q, s, base, true)
	}
	r.done(q)
}

// A flightEnd is a verdict of swr.
type flightEnd uint8

const (
	lookAgain flightEnd = iota
	failed
	committed
	uncertain
)

// end is Group.end, with what each follower makes of it (Group.follow).
func (r *run) end(q int, v flightEnd) {
	x := &r.w.requests[q]
	i := r.instance(q)
	if l := &r.w.at[i].flights[x.slot]; *l == uint8(q+1) {
		*l = 0
	}
	for o := range r.c.requests {
		if y := &r.w.requests[o]; y.phase == phFollow && y.leader == uint8(q+1) {
			r.follow(q, o, v)
		}
	}
}

func (r *run) follow(q, o int, v flightEnd) {
	y := &r.w.requests[o]
	switch {
	case y.late, v == lookAgain, v == uncertain && !y.early:
		r.again(o)
	case v == failed:
		if x := &r.w.requests[q]; r.c.off.lookAgain && x.state >= fallback {
			r.respond(o, r.value(x.seenBase, x.seenVariant), x.seenBase, false)
			r.done(o)
			return
		}
		r.rescue(o)
	default:
		s, f := r.own(q)
		if f.of != noStamp && r.variantOf(o) != r.variantOf(q) {
			r.again(o) // exchange.selects: another variant
			return
		}
		base := s
		if f.of != noStamp {
			base = f.of
		}
		r.respond(o, s, base, true)
		r.done(o)
	}
}

// rescue lets a request look for what may stand in for a fill that failed.
func (r *run) rescue(q int) {
	x := &r.w.requests[q]
	if x.background {
		r.done(q)
		return
	}
	*x = request{phase: phRescue, must: x.must, due: x.due}
}
