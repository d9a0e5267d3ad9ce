package model

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
