package middleware

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/reprise-go/reprise/internal/known"
	"github.com/reprise-go/reprise/swr"
)

// xCache are the values of X-Cache.
var xCache = [swr.NumOutcomes]string{
	swr.Miss: "MISS", swr.Hit: "HIT", swr.HitStale: "STALE", swr.Collapsed: "HIT",
	swr.Revalidated: "REVALIDATED", swr.Rescued: "STALE", swr.Bypass: "BYPASS",
}

var errOnlyIfCached = errors.New("middleware: only-if-cached, and nothing is")

// reply sends what Load brought, unless the handler's own response has gone
// out while it was made.
func (x *exchange) reply(v *response, o swr.Outcome, err error) {
	if err != nil && v == nil {
		panicAgain(err)
	}
	own := x.capture != nil && o == swr.Miss && x.capture.isAnswer()
	switch {
	case own:
		switch c := x.capture; c.mode {
		case pipe, mute:
		case tee:
			c.pump.drain(c.body)
		default:
			x.sendOwn(v)
		}
		x.capture.sendTrailers()
	case v != nil:
		x.send(v, o)
	default:
		x.refuse(err)
	}
}

// panicAgain panics with what a handler panicked with, where nothing could stand
// in after all.
func panicAgain(err error) {
	var p *swr.PanicError
	if errors.As(err, &p) {
		panic(p.Value)
	}
}

// refuse answers a request for which there is nothing: its client wants only
// what is stored (RFC 9111 §5.2.1.7), or its time ended while it waited.
func (x *exchange) refuse(err error) {
	status, why := http.StatusGatewayTimeout, "timeout"
	switch {
	case errors.Is(err, errOnlyIfCached):
		why = "only-if-cached"
	case errors.Is(err, context.Canceled): // the client is gone, or the program ends
		status, why = http.StatusServiceUnavailable, "canceled"
	}
	x.rt.stamp(x.w.Header(), swr.Miss, x.rt.cache.opts.name+"; detail="+why)
	x.w.WriteHeader(status)
}

// count records the request. Of hits some are timed: of well-known responses
// serveKnown has left few.
func (x *exchange) count(o swr.Outcome) {
	if o == swr.Hit {
		var took time.Duration
		if x.served%known.Sampled == 0 || x.made != nil && x.made.isWellKnown() {
			took = x.took()
		}
		x.rt.recorded(x.r.Context(), o, ReasonNone, took)
		return
	}
	why, took := x.reason(o), x.took()
	x.rt.recorded(x.r.Context(), o, why, took)
	x.rt.recent.add(x.key, x.arrived, o, why, took)
	x.rt.notices.note(x.key, o, why)
}

// reason is why the request was no plain hit.
func (x *exchange) reason(o swr.Outcome) Reason {
	switch {
	case o == swr.Hit:
		return ReasonNone
	case o == swr.Rescued:
		return ReasonError
	case x.capture != nil && x.unstored() != ReasonNone:
		return x.unstored()
	}
	return x.why
}

func (x *exchange) took() time.Duration { return x.rt.cache.clock.now().since(x.arrived) }

// send answers with a response that is shared with others.
func (x *exchange) send(v *response, o swr.Outcome) {
	h := x.w.Header()
	d := v.at(x.now, x.rt.cache)
	if o == swr.Hit {
		v.setFields(h, d.forAll(v), true)
	} else {
		lines := d.copy(v)
		own := lines[len(v.lines):]
		own[lineStatus], own[lineX] = x.status(v, o), xCache[o]
		v.setFields(h, lines, true)
	}
	if x.outer != nil {
		x.outer.tagAll(v.userTags()) // what is stored around us is made of this
	}
	if x.capture != nil {
		maps.Copy(h, x.capture.extra)
	}
	x.sendBody(v, v.status, v.body)
}

// sendOwn answers with the response that the handler made for this request, as
// it wrote it.
func (x *exchange) sendOwn(v *response) {
	c := x.capture
	if c.status == 0 { // its time ended before it said anything
		c.status, c.sent = http.StatusOK, c.clone(c.header)
	}
	if v == nil && c.why != ReasonTruncated && c.notModified() {
		c.sendNotModified()
		return
	}
	h := x.w.Header()
	replace(h, c.sent)
	x.stampOwn(h)
	if v == nil { // not stored: as it is, however broken
		if c.mode == drop {
			delete(h, "Content-Length")
		}
		c.sendTrailers() // net/http looks for them when the header goes out
		x.w.WriteHeader(c.status)
		x.w.Write(c.body)
		return
	}
	if c.length < 0 && bodyAllowed(c.status) {
		h["Content-Length"] = []string{strconv.Itoa(len(c.body))}
	}
	if c.status != http.StatusOK || x.post() { // a part is what the handler says it is
		v = nil
	}
	x.sendBody(v, c.status, c.body)
}

// stampOwn says in h that the handler was asked, why, and what became of it.
func (x *exchange) stampOwn(h http.Header) {
	if x.post() {
		return // invalidating does, for all unsafe methods
	}
	stampWith(h, x.capture.take(2), swr.Miss, x.forwardedStatus())
}

// forwardedStatus is our member of Cache-Status where the handler was asked
// for this answer.
func (x *exchange) forwardedStatus() string {
	c := x.capture
	why := x.why
	if x.post() {
		why = ReasonMethod
	}
	if c.status == http.StatusOK && x.stored() {
		return x.rt.stored[why]
	}
	var room [128]byte
	b := append(append(append(room[:0], x.rt.cache.opts.name...), "; fwd="...), forwarded(why)...)
	if c.status != 0 {
		b = strconv.AppendInt(append(b, "; fwd-status="...), int64(c.status), 10)
	}
	if why := x.unstored(); why != ReasonNone {
		b = append(b, detail(why)...)
	} else if x.stored() {
		b = append(b, stored...)
	}
	return string(b)
}

// stored is the parameter of Cache-Status for a response that has been (RFC 9211
// §2.5).
const stored = "; stored"

// unstored tells why the response that the handler made is not stored.
func (x *exchange) unstored() Reason {
	switch err := x.run.Verdict(); {
	case x.capture.why != ReasonNone:
		return x.capture.why
	case x.unselected:
		return ReasonVaryOn
	case err == nil:
		return ReasonNone
	default:
		return reasonOf(err)
	}
}

// status is our member of Cache-Status (RFC 9211) for an answer that is shared
// and not simply fresh.
func (x *exchange) status(v *response, o swr.Outcome) string {
	name := x.rt.cache.opts.name
	switch o {
	case swr.Miss, swr.Revalidated: // confirmed, or completed
		return x.forwardedStatus()
	case swr.Collapsed:
		return name + "; fwd=" + forwarded(x.why) + "; collapsed"
	case swr.Rescued: // RFC 9211 §2.1: no hit, since the handler was asked
		s := name + "; fwd=" + forwarded(x.why)
		if x.capture == nil {
			s += "; collapsed"
		} else if x.capture.status != 0 {
			s += "; fwd-status=" + strconv.Itoa(x.capture.status)
		}
		return s + "; ttl=" + ttl(v, x.now) + detail(ReasonError)
	}
	s := name + "; hit; ttl=" + ttl(v, x.now)
	if x.why == ReasonRefreshes {
		s += detail(x.why)
	}
	return s
}

// ttl is the freshness lifetime that is left, in seconds; negative where the
// response is stale.
func ttl(v *response, now instant) string {
	left := v.windows.Fresh - v.age(now)
	if v.item != nil && v.item.Soft() {
		left = min(left, 0)
	}
	return strconv.FormatInt(int64(left/time.Second), 10)
}

// stamp marks an answer as ours.
func (h *handler) stamp(header http.Header, o swr.Outcome, status string) {
	stampWith(header, make([]string, 2), o, status)
}

// stampWith is stamp, with room for two lines.
func stampWith(header http.Header, lines []string, o swr.Outcome, status string) {
	lines[0], lines[1] = xCache[o], status
	header["X-Cache"] = lines[:1:1]
	if before := header["Cache-Status"]; len(before) > 0 {
		header["Cache-Status"] = append(before, status)
	} else {
		header["Cache-Status"] = lines[1:]
	}
}

// forwarded is the fwd parameter of Cache-Status for why (RFC 9211 §2.2).
func forwarded(why Reason) string {
	switch why {
	case ReasonMethod, ReasonURI, ReasonVary, ReasonStale, ReasonRequest, ReasonPartial:
		return why.String()
	default:
		return "bypass"
	}
}

// detail is the detail parameter of Cache-Status (RFC 9211 §2.8).
func detail(why Reason) string {
	if why == ReasonMethod {
		return ""
	}
	return "; detail=" + why.String()
}

// replace puts src's fields in the place of dst's. Vary adds up: what outer
// handlers vary by, the whole answer varies by.
func replace(dst, src http.Header) {
	for name, values := range src {
		if name == "Vary" {
			values = append(dst["Vary"], values...)
		}
		dst[name] = values
	}
}

// jittered spreads d over ± part of it, so that what was filled together does
// not expire together.
func jittered(d time.Duration, part float64) time.Duration {
	if part == 0 {
		return d
	}
	return time.Duration(float64(d) * (1 + part*(2*rand.Float64()-1)))
}

// stored tells whether the handler's response is in the store now.
func (x *exchange) stored() bool {
	c := x.capture
	return c != nil && (c.mode == hold || c.bearing == confirms) && !x.run.Solo() && x.unstored() == ReasonNone
}
