package model

// reachable returns the variant that the base in Redis vouches for. The scripts
// compare bytes 60 to 75 of the variant with the base's stamp.
func (r *run) reachable(v slot) stamp {
	s := r.w.redis.variant[v-keyVariant]
	if s != noStamp && (r.w.fills[s].of == r.w.redis.base || r.c.off.tie) {
		return s
	}
	return noStamp
}

// acquire is acquire.lua. key is the slot, arg: stamp, seenBase, seenVariant.
func (r *run) acquire(i int, m *message) {
	d := &r.w.redis
	own, seenBase, seenVariant := stamp(m.arg[0]), stamp(m.arg[1]), stamp(m.arg[2])
	var v stamp
	if m.key != keyBase {
		v = r.reachable(m.key)
	}
	switch {
	case d.base != seenBase && (d.base != noStamp || m.key != keyBase), v != noStamp && v != seenVariant:
		r.reply(i, m, 2, uint8(d.base), uint8(v))
	case d.holder[m.key] != noStamp && !d.lapsed[m.key]:
		r.reply(i, m, 0)
	default:
		d.holder[m.key], d.lapsed[m.key] = own, false
		r.reply(i, m, 1)
	}
}

// What a commit writes: message.arg[2] of commit.lua.
const (
	newBase = 1 << iota
	newVariant
	seesLog
	sameBase  // only in the place of what was seen
	leaseless // of a mutant
)

// commit is commit.lua. key is the slot of the lease; arg: stamp, seenBase, what
// is written, the slot that it is written to, inc and head of the log.
func (r *run) commit(i int, m *message) {
	d := &r.w.redis
	own, seen, what, to := stamp(m.arg[0]), stamp(m.arg[1]), m.arg[2], key(m.arg[3])
	if d.holder[m.key] != own && !r.c.off.stampCheck && what&leaseless == 0 {
		r.reply(i, m, 0)
		return
	}
	if what&seesLog != 0 && !(d.log.set && d.log.inc == m.arg[4] && d.log.head == m.arg[5]) {
		r.reply(i, m, 2)
		return
	}
	if d.holder[m.key] == own {
		d.holder[m.key], d.lapsed[m.key] = noStamp, false
	}
	swaps := d.base == seen || d.base == noStamp && (what&newBase != 0 && what&sameBase == 0 || r.c.off.vanished)
	if !swaps && !r.c.off.swapBase {
		r.reply(i, m, 0)
		return
	}
	r.reply(i, m, 1)
	r.write(own, seen, what, to)
}

// write is the second half of commit.lua.
func (r *run) write(own, seen stamp, what uint8, to key) {
	d := &r.w.redis
	if what&newVariant != 0 {
		if old := r.reachable(to); old != noStamp {
			r.replaces(own, old)
		}
		d.variant[to-keyVariant] = own
		r.push(to)
	}
	switch {
	case what&newBase != 0:
		if d.base != noStamp {
			r.replaces(own, d.base)
		}
		d.base, d.mark = own, 0
		r.push(keyBase)
	case d.base == noStamp: // of a mutant
		d.base, d.mark = seen, 0
		r.push(keyBase)
	}
}

// replaces checks G3.
func (r *run) replaces(own, old stamp) {
	if r.w.fills[old].older&(1<<own) != 0 {
		r.fault = "G3: a value has replaced one whose handler started later"
	}
}

// release is hold.lua with 0, whose answer nobody waits for.
func (r *run) release(m *message) {
	d := &r.w.redis
	if d.holder[m.key] == stamp(m.arg[0]) {
		d.holder[m.key], d.lapsed[m.key] = noStamp, false
	}
}

// drop is drop.lua.
func (r *run) drop(i int, m *message) {
	d, own := &r.w.redis, stamp(m.arg[0])
	r.reply(i, m)
	if d.base == own {
		r.unlinkBase()
	}
	for v := range d.variant {
		if d.variant[v] == own {
			d.variant[v] = noStamp
			r.push(keyVariant + key(v))
		}
	}
}

func (r *run) unlinkBase() {
	d := &r.w.redis
	if d.base != noStamp {
		d.base, d.mark = noStamp, 0
		r.push(keyBase)
	}
}

func (r *run) unlinkLeases() {
	d := &r.w.redis
	d.holder, d.lapsed = [maxSlots]stamp{}, [maxSlots]bool{}
}

// unlink is the pipeline of a hard purge: UNLINK control, UNLINK base, EXISTS
// base. Only the last answer matters. Other clients' commands may come between.
func (r *run) unlink(i int, m *message) (done bool) {
	stage := m.arg[0]
	m.arg[0]++
	leases := stage == 0
	if r.c.off.leaseFirst {
		leases = stage == 1
	}
	switch {
	case stage == 2:
		r.reply(i, m)
		return true
	case leases:
		if !r.c.off.leaseEnd {
			r.unlinkLeases()
		}
		if r.c.oneUnlink {
			r.unlinkBase()
		}
	default:
		if r.c.off.barrier && i >= 0 {
			r.reply(i, m)
			r.unlinkBase()
			return true
		}
		r.unlinkBase()
	}
	return false
}

// soften is soft.lua and EXISTS base. The token is the purge's number.
func (r *run) soften(i int, m *message) (done bool) {
	stage := m.arg[0]
	m.arg[0]++
	if stage == 1 {
		r.reply(i, m)
		return true
	}
	if !r.c.off.softEndsFills {
		r.unlinkLeases()
	}
	if d := &r.w.redis; d.base != noStamp {
		d.mark = m.who
		r.push(keyBase)
	}
	return false
}

// time draws a number from the clock.
func (d *redis) time() uint8 {
	d.now++
	return d.now
}

func (r *run) newLog(now uint8) log {
	d := &r.w.redis
	d.incs++
	if r.c.off.hybridClock {
		return log{set: true, inc: d.incs}
	}
	return log{set: true, inc: d.incs, head: now, floor: now}
}

// logPurge is logpurge.lua and EXISTS log. arg: stage, highWater.
func (r *run) logPurge(i int, m *message) (done bool) {
	d := &r.w.redis
	if m.arg[0] == 1 {
		r.reply(i, m, m.arg[1])
		return true
	}
	d.replica = d.log
	now := d.time()
	s := max(d.log.head+1, now, m.arg[1]+1)
	if !d.log.set {
		d.log = r.newLog(now)
	}
	if r.c.off.hybridClock {
		s = d.log.head + 1
	}
	d.log.head, d.log.soft = s, s
	if !r.c.purges[m.who-1].soft {
		d.log.hard = s
	}
	m.arg[0], m.arg[1] = 1, s
	if r.c.off.barrier && i >= 0 {
		r.reply(i, m, s)
		r.push(keyLog)
		return true
	}
	r.push(keyLog)
	return false
}

// logOpen is logopen.lua. arg: highWater.
func (r *run) logOpen(i int, m *message) {
	d := &r.w.redis
	now, old := d.time(), d.log
	switch {
	case !old.set:
		d.log = r.newLog(now)
	case old.head < m.arg[0]:
		s := max(now, m.arg[0]+1)
		d.log = log{set: true, inc: old.inc, head: s, floor: s}
	default:
		d.now-- // nothing was drawn
	}
	r.reply(i, m, d.log.pack()...)
	if d.log != old {
		r.push(keyLog)
	}
}
