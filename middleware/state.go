package middleware

import (
	"bytes"
	"net/http"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

// State says what this request may do with v.
func (x *exchange) State(v *response) swr.State {
	if v != nil && !x.selects(v) {
		v = nil
	}
	switch {
	case x.post():
		return swr.Apart
	case x.facts&hasPrecondition != 0: // the handler's to evaluate (RFC 9111 §4.3.2)
		return swr.Alone
	case v != nil && x.withheld(v):
		x.why = ReasonRequest
		return swr.Alone
	}
	st := x.permits(v)
	switch {
	case st >= swr.Stale, st == swr.Fallback && x.handlerRan():
		return st
	case x.solitary(v):
		return swr.Alone
	case x.apart(v):
		return swr.Apart
	}
	return st
}

// handlerRan tells whether this request's own fill has ended, or failed.
func (x *exchange) handlerRan() bool { return x.capture != nil }

// permits says what the request may do with v, which was made for others.
func (x *exchange) permits(v *response) swr.State {
	if v == nil {
		return swr.Absent
	}
	st := v.state(x.now)
	switch {
	case v.item == nil && v.started < x.arrived && x.after != nil:
		return swr.Absent // of a fill that the purge may not have ended, if the store was away
	case v.isPart() && !x.within(v):
		x.why = ReasonPartial
		return swr.Absent
	case st == swr.Absent && !x.tolerates(v): // and content would count a reload
		return swr.Absent
	case !x.content(v):
		x.why = ReasonRequest
		return swr.Absent
	case v.isPart() && st == swr.Stale: // a refresh behind it would make the whole
		return swr.Fallback
	case st == swr.Stale && v.item == nil: // as new as it can be: max-age=0, stale-while-revalidate=60
		return swr.Fresh
	case st < swr.Stale && x.tolerates(v):
		x.tolerant = true
		return swr.Stale
	}
	return st
}

// selects tells whether a response that was just made is the variant of this
// request. Of what is stored, Lookup has made sure.
func (x *exchange) selects(v *response) bool {
	if len(v.by) == 0 {
		return true
	}
	x.selected = x.rt.appendSelected(x.selected[:0], x.r, v.by)
	return bytes.Equal(x.selected, v.selected)
}

// standsIn tells whether v may stand in for an error (RFC 5861 §4), as far as is
// known now: the engine looks again.
func (x *exchange) standsIn(v *response) bool {
	return v != nil && x.facts&hasPrecondition == 0 && v.state(x.now) >= swr.Fallback &&
		x.content(v) && !x.withheld(v) && (!v.isPart() || x.within(v))
}

// solitary tells whether the answer to this request is nobody else's and of no
// use to anybody else: a client may ask that its answer be not stored (RFC 9111
// §5.2.1.5), and a HEAD has nothing to store, nor to freshen where v is nil.
func (x *exchange) solitary(v *response) bool {
	return x.unselected || x.control.Is(rfc9111.NoStore) ||
		x.r.Method == http.MethodHead && (v == nil || x.facts&hasConditional != 0)
}

// post tells whether x is a POST whose answer may be stored.
func (x *exchange) post() bool { return x.r.Method == http.MethodPost }

// apart tells whether the answer is nobody else's, but of use: because the
// request is narrow, or because the handler is to be asked for each request
// (RFC 9111 §5.2.2.4).
func (x *exchange) apart(v *response) bool {
	return x.narrow(v) || v != nil && v.marks&asked != 0
}

// narrow tells whether the handler gets the request as it is, for less than the
// whole: a HEAD may freshen v (RFC 9111 §4.3.5), a part is stored as one (§3.3),
// and so may the answer to a POST be (RFC 9110 §9.3.3). A range of what the
// handler can confirm whole is asked for by confirming it.
func (x *exchange) narrow(v *response) bool {
	switch {
	case x.r.Method != http.MethodGet:
		return true
	case x.facts&hasRange == 0:
		return false
	}
	return v == nil || v.isPart() || !x.asksFor304(v)
}

// asksFor304 tells whether the handler is asked to confirm v.
func (x *exchange) asksFor304(v *response) bool {
	return x.rt.policy.Advanced.Keep > 0 && v.confirmable()
}

// storesPart tells whether the part of a response that a 206 with header h has
// can be stored: one range, of a known whole.
func (x *exchange) storesPart(h http.Header) bool {
	span, size, ok := rfc9111.ContentRange(h)
	_, one := rfc9111.OneRange(x.r.Header["Range"])
	return ok && one && size >= 0 && span.Len() <= x.rt.policy.Limits.Body
}

// withheld tells whether v is not for a request with these credentials.
func (x *exchange) withheld(v *response) bool {
	if !x.rt.credentialed(x.facts) {
		return false
	}
	return v.marks&implicit != 0 || x.facts&hasAuthorization != 0 && v.marks&shared == 0
}

// content tells whether v is as new as the client asks (RFC 9111 §5.2.1). What
// was made for a request that came no earlier than this one is, and so is
// anything once clients have asked too often.
func (x *exchange) content(v *response) bool {
	if !x.control.Is(rfc9111.NoCache|rfc9111.MaxAge|rfc9111.MinFresh) || v.item == nil || v.started >= x.arrived {
		return true
	}
	age := v.age(x.now)
	switch {
	case x.control.Is(rfc9111.NoCache):
	case x.control.Is(rfc9111.MaxAge) && age > x.control.MaxAge:
	case x.control.Is(rfc9111.MaxAge) && age >= v.windows.Fresh && !x.control.Is(rfc9111.MaxStale):
	case x.control.Is(rfc9111.MinFresh) && v.windows.Fresh-age < x.control.MinFresh:
	default:
		return true
	}
	if !x.reloading {
		x.reloading = x.rt.reloads.allow(x.key, x.now, !x.dry)
	}
	return !x.reloading
}

// tolerates tells whether the client takes v as stale as it is (RFC 9111
// §5.2.1.2), and nothing in v forbids it (§4.2.4).
func (x *exchange) tolerates(v *response) bool {
	return x.control.Is(rfc9111.MaxStale) && v.marks&firm == 0 && v.age(x.now)-v.windows.Fresh <= x.control.MaxStale
}
