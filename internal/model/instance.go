package model

// receive takes what has come first over a link. All of it runs in the
// connection's reader (conn.go), and what wakes goes on at once: that it may be
// later is what the delays of the messages stand for.
func (r *run) receive(link int) {
	c, i := &r.w.links[link], link/2
	m := c.down[0]
	copy(c.down[:], c.down[1:c.downs])
	c.downs--
	c.down[c.downs] = message{}
	q := int(m.who) - 1
	switch m.op {
	case opPush:
		r.dropLocal(&r.w.at[i], m.key)
	case opBeat:
		r.beaten(c, &m)
	case opRead:
		r.update(i, c, &m)
	case opUnlink, opSoft:
		r.purgeReturns(q, 0)
	case opLog:
		r.purgeReturns(q, m.arg[0])
	case opAsk:
		if q >= 0 {
			r.arrived(q, m.arg)
		}
	case opOpen:
		if q >= 0 {
			r.useLog(q, unpack(m.arg))
		}
	case opLease:
		if q >= 0 {
			r.acquired(q, m.arg[0], stamp(m.arg[1]), stamp(m.arg[2]))
		}
	case opCommit:
		if q >= 0 {
			r.committed(q, m.arg[0])
		}
	case opDrop:
		if q >= 0 {
			r.settled(q, commitOvertaken)
		}
	}
}

// update is conn.Update. rueidis gives it each answer to a tracked read, and
// knows the reads by their keys alone: so an answer completes the read of its key
// that is pending, be it its own or a newer one.
func (r *run) update(i int, c *conn, m *message) {
	suspect := c.suspect
	q := int(m.who) - 1
	if !suspect {
		r.keep(i, m, q)
	}
	if c.reads[m.key].open {
		c.reads[m.key] = read{}
		for o := range r.c.requests {
			if y := &r.w.requests[o]; y.wait == waitJoined && y.key == m.key && r.instance(o) == i {
				if suspect {
					r.ask(o)
				} else {
					r.arrived(o, m.arg)
				}
			}
		}
	}
	if q >= 0 {
		r.arrived(q, m.arg)
	}
}

// keep is conn.keep, and table.install.
func (r *run) keep(i int, m *message, q int) {
	at := &r.w.at[i]
	switch {
	case r.c.off.readerPuts && m.key != keyLog:
		if q >= 0 && at.put.op == opNone {
			at.put = *m
		}
	case m.key == keyBase:
		at.base, at.mark = stamp(m.arg[0]), m.arg[1]
	case m.key == keyLog:
		l := unpack(m.arg)
		if !l.set {
			return
		}
		if l.head < at.high && !r.c.off.highWater {
			at.table = log{}
			return
		}
		at.high = max(at.high, l.head)
		at.table = l
	default:
		at.variant[m.key-keyVariant] = stamp(m.arg[0])
	}
}

// callerPuts is a mutant's step: the put comes when the caller gets to it.
func (r *run) callerPuts(i int) {
	at := &r.w.at[i]
	m := at.put
	at.put = message{}
	if m.key == keyBase {
		at.base, at.mark = stamp(m.arg[0]), m.arg[1]
	} else {
		at.variant[m.key-keyVariant] = stamp(m.arg[0])
	}
}

// beat sends a heartbeat (heartbeat.go, sendBeat, and conn.Flight).
func (r *run) beat(link int) {
	c := &r.w.links[link]
	if r.c.off.exactBeat && !c.beat {
		c.beat, c.beatAge, c.beatAfter = true, 0, true
	}
	c.beats++
	c.up[c.ups] = message{op: opBeat, arg: [6]uint8{0, 1}}
	c.ups++
}

// beaten takes an answer to a heartbeat. As built it counts for the oldest one
// that had none when it was sent, which need not be its own: see exactBeat.
func (r *run) beaten(c *conn, m *message) {
	c.beats--
	age, after := m.arg[0], m.arg[1] != 0
	if r.c.off.exactBeat {
		if !c.beat {
			return
		}
		age, after = c.beatAge, c.beatAfter
		c.beat, c.beatAge, c.beatAfter = false, 0, false
	}
	c.proof = age
	if after {
		c.suspect = false
	}
}

// giveUp ends what a request waits for by its deadline: the answer is still on
// its way. Of a tracked read rueidis tells (conn.Cancel).
func (r *run) giveUp(q int) {
	x := &r.w.requests[q]
	w, k, i := x.wait, x.key, r.instance(q)
	for l := 2 * i; l < 2*i+2; l++ {
		r.w.links[l].disown(q)
	}
	if w == waitOwn {
		r.cancel(i, k)
	}
	r.failed(q)
}

func (r *run) cancel(i int, k key) {
	c := r.conn(i, k)
	if !r.c.off.fence {
		c.suspected()
	}
	if !c.reads[k].open {
		return
	}
	c.reads[k] = read{}
	for o := range r.c.requests {
		if y := &r.w.requests[o]; y.wait == waitJoined && y.key == k && r.instance(o) == i {
			r.ask(o)
		}
	}
}

// disown makes q wait for nothing any more. Purges number their own messages.
func (c *conn) disown(q int) {
	for j := range c.up {
		c.up[j].disown(q)
	}
	for j := range c.down {
		c.down[j].disown(q)
	}
}

func (m *message) disown(q int) {
	if m.op < opUnlink && m.who == uint8(q+1) {
		m.who = 0
	}
}

func (c *conn) suspected() {
	c.suspect, c.beatAfter = true, false
	for j := range c.up {
		if c.up[j].op == opBeat {
			c.up[j].arg[1] = 0
		}
	}
	for j := range c.down {
		if c.down[j].op == opBeat {
			c.down[j].arg[1] = 0
		}
	}
}

// tick lets time pass. What has happened before it is a tick older after it.
func (r *run) tick() {
	for i := range r.w.links {
		c := &r.w.links[i]
		c.proof = min(c.proof+1, r.c.trust)
		if c.beat {
			c.beatAge = min(c.beatAge+1, r.c.trust)
		}
		for j := range c.up {
			r.ageBeat(&c.up[j])
		}
		for j := range c.down {
			r.ageBeat(&c.down[j])
		}
		for k := range c.reads {
			if c.reads[k].open {
				c.reads[k].age = min(c.reads[k].age+1, r.c.deadline)
			}
		}
	}
	for q := range r.c.requests {
		if x := &r.w.requests[q]; x.leads() {
			x.age = min(x.age+1, r.c.trust)
		}
	}
	for p := range r.c.purges {
		if u := &r.w.purges[p]; u.phase == purgeDone {
			u.since = min(u.since+1, r.c.bound())
		}
	}
}

func (r *run) ageBeat(m *message) {
	if m.op == opBeat {
		m.arg[0] = min(m.arg[0]+1, r.c.trust)
	}
}

// leads tells whether a flight is x's. A look-up for R11 is part of one.
func (x *request) leads() bool {
	return x.phase >= phNote && x.phase <= phDrop || x.purpose == toConfirm || x.purpose == toReveal
}

// shut ends a connection: conn.Close comes first, then all who wait learn of it,
// and the next connection is a new one. Redis may still execute what was sent.
func (r *run) shut(link int) {
	old, c, i := r.w.links[link], &r.w.links[link], link/2
	*c = conn{proof: r.c.trust, zombies: old.zombies, zombie: old.zombie}
	for _, m := range old.up[:old.ups] {
		if m.op >= opOpen && c.zombie < maxZombies {
			c.zombies[c.zombie] = m
			c.zombie++
		}
	}
	if r.c.off.flush {
		c.proof = old.proof
	} else {
		r.flush(link)
	}
	for q := range r.c.requests {
		if r.instance(q) == i {
			r.cutOff(q, link)
		}
	}
	for p := range r.c.purges {
		u := &r.c.purges[p]
		if r.w.purges[p].phase == purgeRuns && r.c.link(int(u.at), u.key()) == link {
			r.sendPurge(p) // purge.go, persist
		}
	}
}

// flush is conn.flush: what the connection had tracked is forgotten.
func (r *run) flush(link int) {
	at := &r.w.at[link/2]
	if link == r.c.link(link/2, keyBase) {
		at.base, at.mark, at.variant = noStamp, 0, [maxVariants]stamp{}
	}
	if link == r.c.link(link/2, keyLog) {
		at.table = log{}
	}
}

// cutOff tells a request that waits for an answer over link that it is gone.
func (r *run) cutOff(q, link int) {
	x := &r.w.requests[q]
	w, k := x.wait, x.key
	switch w {
	case waitNone:
		return
	case waitOpened:
		k = keyLog
	case waitScript:
		k = keyBase
	}
	if r.c.link(r.instance(q), k) != link {
		return
	}
	if w == waitJoined {
		r.ask(q)
		return
	}
	r.failed(q)
}

// failed lets a request go on without the answer that it waits for.
func (r *run) failed(q int) {
	x := &r.w.requests[q]
	x.wait = waitNone
	switch x.phase {
	case phAcquire:
		r.hold0(q) // renew.go, releaseLater
		x.offline = true
		r.leased(q)
	case phCommit:
		r.hold0(q)
		r.settled(q, commitUnknown)
	case phDrop:
		r.settled(q, commitOvertaken)
	default:
		r.missed(q)
	}
}
