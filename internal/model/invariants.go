package model

import "fmt"

// begun notes at a request's start what its answer may not be older than.
func (r *run) begun(q int) {
	x := &r.w.requests[q]
	for p := range r.c.purges {
		u := &r.w.purges[p]
		if u.phase != purgeDone {
			continue
		}
		if r.c.purges[p].at == r.c.requests[q].at {
			x.must |= 1 << p
		}
		if u.since >= r.c.bound() && r.c.most.failovers == 0 {
			x.due |= 1 << p
		}
	}
}

// respond checks what request q is answered with: the value of s, a variant
// under base or the base itself, as fresh or as stale.
func (r *run) respond(q int, s, base stamp, asFresh bool) {
	x, f := &r.w.requests[q], &r.w.fills[s]
	if f.of != noStamp && f.of != base {
		r.fault = "G0: a variant was served under a record that it does not belong to"
	}
	for p, u := range r.c.purges {
		bit := uint8(1) << p
		older := f.made&bit != 0
		if u.soft {
			older = f.confirmed&bit != 0 && asFresh
		}
		switch {
		case older && x.must&bit != 0:
			r.fault = fmt.Sprintf("G1: request %d began after purge %d had returned in its process, and got what was made before", q+1, p+1)
		case older && x.due&bit != 0:
			r.fault = fmt.Sprintf("G2: request %d began later than the bound after purge %d had returned, and got what was made before", q+1, p+1)
		}
	}
}
