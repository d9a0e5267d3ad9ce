package model

// startPurge begins purge p (purge.go). What handlers read before may be older
// than the change that it is for.
func (r *run) startPurge(p int) {
	r.w.purges[p].phase = purgeRuns
	for s := range r.w.fills {
		if f := &r.w.fills[s]; f.started {
			f.made |= 1 << p
			f.confirmed |= 1 << p
		}
	}
	r.countPurge(p)
	if u := &r.c.purges[p]; !u.tag {
		r.dropLocal(&r.w.at[u.at], keyBase)
	} else if !r.c.off.finalForget {
		r.dropLocal(&r.w.at[u.at], keyLog)
	}
	r.sendPurge(p)
}

// countPurge is Store.purges: it rises when a purge begins and before it returns.
func (r *run) countPurge(p int) {
	for q := range r.c.requests {
		if x := &r.w.requests[q]; r.c.requests[q].at == r.c.purges[p].at && x.leads() {
			x.purged = true
		}
	}
}

func (r *run) sendPurge(p int) {
	u := &r.c.purges[p]
	m, k := message{op: opUnlink, who: uint8(p + 1)}, keyBase
	switch {
	case u.tag:
		m.op, k = opLog, keyLog
		if !r.c.off.highWater {
			m.arg[1] = r.w.at[u.at].high
		}
	case u.soft:
		m.op = opSoft
	}
	r.send(int(u.at), k, m)
}

// purgeReturns ends purge p; head is its number if it was of the tag.
func (r *run) purgeReturns(p int, head uint8) {
	u := &r.w.purges[p]
	if u.phase == purgeDone {
		return // the answer to a second attempt
	}
	at := &r.w.at[r.c.purges[p].at]
	if r.c.purges[p].tag {
		at.high = max(at.high, head)
	}
	if !r.c.off.finalForget {
		if r.c.purges[p].tag {
			r.dropLocal(at, keyLog)
		} else {
			r.dropLocal(at, keyBase)
		}
	}
	r.countPurge(p)
	u.phase = purgeDone
}
