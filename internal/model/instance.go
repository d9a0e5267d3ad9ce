package model

// receive takes what has come first from Redis to instance i. All of it runs in
// the connection's reader (conn.go), and what wakes goes on at once: that it may
// be later is what the delays of the messages stand for.
func (r *run) receive(i int) {
	c := &r.w.at[i].conn
	m := c.down[0]
	copy(c.down[:], c.down[1:c.downs])
	c.downs--
	c.down[c.downs] = message{}
	q := int(m.who) - 1
	switch m.op {
	case opPush:
		r.dropLocal(&r.w.at[i], m.key)
	case opBeat:
		r.beaten(i, &m)
	case opRead:
		r.update(i, &m)
	case opUnlink, opSoft:
		r.purged(q, 0)
	case opLog:
		r.purged(q, m.arg[0])
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
func (r *run) update(i int, m *message) {
	c := &r.w.at[i].conn
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
func (r *run) beat(i int) {
	c := &r.w.at[i].conn
	if !c.beat {
		c.beat, c.beatAge, c.beatAfter = true, 0, true
	}
	c.beats++
	r.send(i, message{op: opBeat, arg: [6]uint8{0, 1}})
}

// beaten takes an answer to a heartbeat. As built it counts for the oldest one
// that had none when it was sent, which need not be its own: see exactBeat.
func (r *run) beaten(i int, m *message) {
	c := &r.w.at[i].conn
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

// giveUp ends a tracked read by its deadline (conn.Cancel): the answer is still
// on its way.
func (r *run) giveUp(q int) {
	i := r.instance(q)
	x, c := &r.w.requests[q], &r.w.at[i].conn
	k := x.key
	for j := range c.up {
		disown(&c.up[j], q)
	}
	for j := range c.down {
		disown(&c.down[j], q)
	}
	if !r.c.off.fence {
		r.suspect(i)
	}
	if c.reads[k].open {
		c.reads[k] = read{}
		for o := range r.c.requests {
			if y := &r.w.requests[o]; y.wait == waitJoined && y.key == k && r.instance(o) == i {
				r.ask(o)
			}
		}
	}
	r.missed(q)
}

func disown(m *message, q int) {
	if m.op == opRead && m.who == uint8(q+1) {
		m.who = 0
	}
}

func (r *run) suspect(i int) {
	c := &r.w.at[i].conn
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
	for i := range r.w.at {
		c := &r.w.at[i].conn
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

// shut ends instance i's connection: conn.Close comes first, then all who wait
// learn of it, and the next connection is a new one. Redis may still execute
// what was sent.
func (r *run) shut(i int) {
	at := &r.w.at[i]
	old := at.conn
	at.conn = conn{proof: r.c.trust}
	for _, m := range old.up[:old.ups] {
		if m.op >= opLease && at.zombie < maxZombies {
			at.zombies[at.zombie] = m
			at.zombie++
		}
	}
	if !r.c.off.flush {
		at.base, at.mark, at.variant = noStamp, 0, [maxVariants]stamp{}
		at.table = log{}
	} else {
		at.proof = old.proof
	}
	for q := range r.c.requests {
		if r.instance(q) == i {
			r.cutOff(q)
		}
	}
	for p := range r.c.purges {
		if r.w.purges[p].phase == purgeRuns && int(r.c.purges[p].at) == i {
			r.sendPurge(p) // purge.go, persist
		}
	}
}

// cutOff tells a request that its connection is gone.
func (r *run) cutOff(q int) {
	x := &r.w.requests[q]
	w := x.wait
	if w == waitNone {
		return
	}
	x.wait = waitNone
	switch {
	case w == waitJoined:
		r.ask(q)
	case x.phase == phAcquire:
		x.offline = true
		r.leased(q)
	case x.phase == phCommit:
		r.settled(q, commitUnknown)
	case x.phase == phDrop:
		r.settled(q, commitOvertaken)
	default:
		r.missed(q)
	}
}
