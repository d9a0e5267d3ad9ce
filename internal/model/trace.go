package model

import (
	"fmt"
	"strings"
)

// tell returns the trace as lines for a reader.
func (c config) tell(res result) string {
	c.trust, c.deadline = max(c.trust, 1), max(c.deadline, 1)
	var b strings.Builder
	w := c.start()
	for i, s := range res.trace {
		fmt.Fprintf(&b, "%3d %s\n", i+1, s.describe(w))
		r := run{c: &c, w: w}
		r.take(s)
		w.tidy(&c)
	}
	fmt.Fprintf(&b, "    %s\n", res.fault)
	return b.String()
}

var stepNames = [...]string{
	stepStart: "request %d begins", stepLook: "request %d looks again", stepJoin: "request %d looks for a flight",
	stepWake: "request %d need not wait for the lease any more", stepFinish: "the handler of request %d answers",
	stepFinishNew: "the handler of request %d answers, and varies by more", stepFinishSame: "the handler of request %d answers without Vary",
	stepFail: "the handler of request %d fails", stepRescue: "request %d looks for what may stand in",
	stepPurge: "purge %d begins", stepServe: "Redis executes for instance %d: ",
	stepZombie:  "Redis executes what instance %d sent before it lost its connection: ",
	stepReceive: "instance %d receives: ", stepPut: "a caller at instance %d puts what it read", stepBeat: "instance %d sends a heartbeat",
	stepTick: "time passes", stepGiveUp: "request %d gives its call up", stepShut: "instance %d loses a connection",
	stepLapse: "the lease of the %s lapses", stepEvict: "Redis evicts the ", stepEvictControl: "Redis evicts the control key",
	stepFailover: "a failover brings an older log back",
}

var keyNames = [...]string{"base", "variant 1", "variant 2", "log"}

// describe says what s does in w.
func (s step) describe(w *world) string {
	text, i := stepNames[s.kind], s.arg
	switch s.kind {
	case stepTick, stepFailover, stepEvictControl:
		return text
	case stepEvict:
		return text + keyNames[i]
	case stepLapse:
		return fmt.Sprintf(text, keyNames[i])
	case stepServe:
		return fmt.Sprintf(text, i/2+1) + w.links[i].up[0].command()
	case stepZombie:
		return fmt.Sprintf(text, i/2+1) + w.links[i].zombies[0].command()
	case stepReceive:
		return fmt.Sprintf(text, i/2+1) + w.links[i].down[0].answer()
	case stepBeat, stepShut:
		return fmt.Sprintf(text, i/2+1)
	}
	return fmt.Sprintf(text, i+1)
}

// command says what m asks for. Fills are called by the request that makes the
// value; 0 is what was stored at first.
func (m *message) command() string {
	k, a := keyNames[m.key], m.arg
	switch m.op {
	case opRead:
		return fmt.Sprintf("tracked GET %s for request %d", k, m.who)
	case opAsk:
		return fmt.Sprintf("GET %s for request %d", k, m.who)
	case opBeat:
		return "heartbeat"
	case opOpen:
		return fmt.Sprintf("LOGOPEN for request %d, highWater %d", m.who, a[0])
	case opLease:
		return fmt.Sprintf("ACQUIRE %s for request %d, which has seen base %s and variant %s", k, m.who, maker(a[1]), maker(a[2]))
	case opCommit:
		return fmt.Sprintf("COMMIT %s of fill %s, which has seen base %s", k, maker(a[0]), maker(a[1]))
	case opHold:
		return fmt.Sprintf("HOLD 0 %s of fill %s", k, maker(a[0]))
	case opDrop:
		return fmt.Sprintf("DROP of fill %s", maker(a[0]))
	case opUnlink:
		return fmt.Sprintf("command %d of purge %d's UNLINK control, UNLINK base, EXISTS base", a[0]+1, m.who)
	case opSoft:
		return fmt.Sprintf("command %d of purge %d's SOFT, EXISTS base", a[0]+1, m.who)
	case opLog:
		return fmt.Sprintf("command %d of purge %d's LOGPURGE, EXISTS log", a[0]+1, m.who)
	}
	return "?"
}

// answer says what m brings.
func (m *message) answer() string {
	a := m.arg
	switch m.op {
	case opPush:
		return "push of the " + keyNames[m.key]
	case opBeat:
		return "answer to a heartbeat"
	case opUnlink, opSoft, opLog:
		return fmt.Sprintf("the last answer to purge %d, which returns", m.who)
	case opLease:
		return fmt.Sprintf("ACQUIRE's %d for request %d", a[0], m.who)
	case opCommit:
		return fmt.Sprintf("COMMIT's %d for request %d", a[0], m.who)
	case opDrop:
		return fmt.Sprintf("DROP's answer for request %d", m.who)
	}
	if m.key != keyLog {
		return fmt.Sprintf("%s for request %d: fill %s", keyNames[m.key], m.who, maker(a[0]))
	}
	l := unpack(a)
	return fmt.Sprintf("log for request %d: inc %d, head %d, floor %d, hard %d, soft %d", m.who, l.inc, l.head, l.floor, l.hard, l.soft)
}

// maker names a fill by its request.
func maker(s uint8) string {
	switch stamp(s) {
	case noStamp:
		return "none"
	case initial:
		return "0"
	}
	return string('1' + rune(stamp(s)-firstFill))
}
