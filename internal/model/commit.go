package model

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
