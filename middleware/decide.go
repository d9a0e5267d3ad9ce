package middleware

import (
	"net/http"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

// decide chooses the mode by status and header.
func (c *capture) decide(status int) {
	c.status = status
	c.sent = c.clone(c.header)
	rfc9111.Canonicalize(c.sent) // what net/http sends whatever its spelling, counts whatever its spelling
	if n, ok := contentLength(c.header); ok {
		c.length = n
	}
	switch c.bearing = c.ask.bearing(status, c.sent); c.bearing {
	case replaces:
		c.decideNew()
	case completes:
		c.hold()
	default:
		c.mode = drop
	}
}

// decideNew decides about a response that is an answer of its own.
func (c *capture) decideNew() {
	q := c.question(c.status, c.sent)
	j := c.x.rt.policy.judge(q)
	c.why = j.why
	// A POST ends all variants, and one that replaces one would leave the others.
	if q.post && c.why == ReasonNone && (c.status != http.StatusOK || len(j.names)+len(c.x.names) > 0 || !c.x.located(c.sent)) {
		c.why = ReasonMethod
	}
	switch {
	case rescuable(c.status) && c.x.standsIn(c.old):
		c.why, c.bearing, c.mode = ReasonError, rescued, hold
	case rescuable(c.status) && c.why != ReasonNone && !c.run.Solo():
		c.why, c.bearing, c.mode = ReasonError, fails, hold
	case c.x.r.Method == http.MethodHead && !c.run.Solo():
		c.why, c.bearing, c.mode = ReasonNone, describes, pipe
		c.sendHeader()
	case c.status >= 400 && !aboutResource(c.status) && c.hasGood():
		c.why = ReasonError
		c.passThrough()
	case c.why != ReasonNone:
		c.gone = c.displaces(&q)
		c.passThrough()
	case c.run.Solo():
		c.why = ReasonNone
		c.passThrough()
	default:
		c.hold()
	}
}

// hasGood tells whether something stored is good enough for other clients at
// least: better than an error or a part.
func (c *capture) hasGood() bool { return c.old != nil && c.old.state(c.x.now) >= swr.Fallback }

func (c *capture) hold() {
	c.mode = hold
	c.body = make([]byte, 0, min(max(c.length, 0), c.x.rt.policy.Limits.Body))
}

// isAnswer tells whether the answer is what the handler wrote, and not what is
// stored.
func (c *capture) isAnswer() bool { return c.bearing != confirms && c.bearing != completes }

// recovers tells whether a panic of the handler ends here, as the error that
// something stored may stand in for (RFC 5861 §4); its log line does not.
func (c *capture) recovers() bool {
	if c.mode == pipe || c.mode == tee || !c.x.standsIn(c.old) {
		return false
	}
	c.why, c.bearing = ReasonError, rescued
	return true
}

// rescuable tells whether a stored response may stand in for one with status
// (RFC 5861 §4).
func rescuable(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// question asks judge about a response with status and header h.
func (c *capture) question(status int, h http.Header) question {
	q := question{
		facts: c.x.facts, control: c.x.control, post: c.x.post(),
		status: status, header: h, said: c.scratch.said(), asked: c.started, received: time.Now(),
	}
	if status == http.StatusPartialContent && c.x.storesPart(h) {
		q.status, q.part = http.StatusOK, true
	}
	if c.x.w != nil && len(h["Cache-Control"]) == 0 {
		q.outer = c.x.w.Header()["Cache-Control"] // the client will see it on our answer
	}
	return q
}

// displaces tells whether the answer, which is not stored, ends the life of
// what is. That of a HEAD is describe's to judge.
func (c *capture) displaces(q *question) bool {
	return c.old != nil && c.x.r.Method != http.MethodHead && !c.x.solitary(c.old) && q.forAll(c.why)
}
