package middleware

import (
	"fmt"
	"net/http"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/swr"
)

// An ask is what the handler is asked beside what the client asked: to confirm
// what is stored (RFC 9111 §4.3.1), or to complete it (§3.4).
type ask struct {
	old   *response    // what is stored and may be used once confirmed or completed; or nil
	whole bool         // without the client's conditions and range: the answer is for others too
	kind  askKind      // about old
	rest  rfc9111.Span // what old, a part, lacks; to complete it
}

type askKind uint8

const (
	forNew     askKind = iota // for a response, whatever is stored
	toConfirm                 // or for a 304, by which old is still right
	toComplete                // or for a 206, which is the rest of old
)

// ask decides what to ask the handler, where old is what the look-up found.
func (x *exchange) ask(run *swr.Run, old *response) ask {
	if old != nil && x.withheld(old) {
		old = nil
	}
	narrow := run.Solo() || x.narrow(old)
	a := ask{old: old, whole: !narrow}
	switch {
	case old == nil, x.r.Method != http.MethodGet:
	case narrow && x.facts&(hasConditional|hasPrecondition) != 0: // the client's own conditions go to the handler
	case old.isPart():
		a.rest, a.kind = x.restOf(old, run)
	case x.asksFor304(old) && (a.whole || x.facts&hasRange == 0):
		a.kind = toConfirm
	}
	return a
}

// restOf tells how the handler can make a part serve this request: by the rest
// of it, or by confirming that it is enough. Only a strong ETag tells that two
// parts are of one whole (RFC 9111 §3.4).
func (x *exchange) restOf(part *response, run *swr.Run) (rfc9111.Span, askKind) {
	h := part.header()
	if x.within(part) {
		if x.asksFor304(part) && !run.Solo() {
			return rfc9111.Span{}, toConfirm
		}
		return rfc9111.Span{}, forNew
	}
	_, strong := rfc9111.StrongETag(h)
	want, ok := x.wants(part.size)
	if !strong || !ok || run.Solo() || len(x.r.Header["If-Range"]) > 0 {
		return rfc9111.Span{}, forNew
	}
	rest, ok := rfc9111.Missing(part.span, want)
	if !ok || rest.Len()+part.span.Len() > x.rt.policy.Limits.Body {
		return rfc9111.Span{}, forNew
	}
	return rest, toComplete
}

// wants returns the bytes that the client wants of a whole of size bytes.
func (x *exchange) wants(size int64) (rfc9111.Span, bool) {
	if x.facts&hasRange == 0 {
		return rfc9111.Span{First: 0, Last: size - 1}, size > 0
	}
	r, ok := rfc9111.OneRange(x.r.Header["Range"])
	if !ok {
		return rfc9111.Span{}, false
	}
	return r.Of(size)
}

// within tells whether the client wants no more than part has.
func (x *exchange) within(part *response) bool {
	if x.facts&hasRange == 0 || !x.ranged(part) {
		return false
	}
	want, ok := x.wants(part.size)
	return ok && part.span.Contains(want)
}

// apply changes h, the header of the request that the handler gets.
func (a *ask) apply(h http.Header) {
	if a.whole {
		unconditional(h)
	}
	switch a.kind {
	case toConfirm:
		etag, modified := a.old.validators()
		setOrNot(h, "If-None-Match", etag)
		setOrNot(h, "If-Modified-Since", modified)
	case toComplete:
		etag, _ := a.old.validators()
		h["If-Range"] = []string{etag}
		h["Range"] = []string{a.rangeOfRest()}
	}
}

func setOrNot(h http.Header, name, value string) {
	if value != "" {
		h[name] = []string{value}
	}
}

func (a *ask) rangeOfRest() string {
	if a.rest.Last == a.old.size-1 {
		return fmt.Sprintf("bytes=%d-", a.rest.First)
	}
	return fmt.Sprintf("bytes=%d-%d", a.rest.First, a.rest.Last)
}

// unconditional makes the handler answer whole: what it makes is for others
// too, and the client's own conditions are answered from that.
func unconditional(h http.Header) {
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"} {
		delete(h, name)
	}
}

// bearing tells what a response with status and header h is to what was asked.
func (a *ask) bearing(status int, h http.Header) bearing {
	switch {
	case a.kind == toConfirm && status == http.StatusNotModified:
		if rfc9111.Confirms(a.old.header(), h) {
			return confirms
		}
		return unfit
	case a.kind == toComplete && status == http.StatusPartialContent:
		if a.isRest(h) {
			return completes
		}
		return unfit
	case a.kind == toComplete && status == http.StatusRequestedRangeNotSatisfiable:
		return unfit
	}
	return replaces
}

// isRest tells whether a 206 with header h is what old lacks (RFC 9111 §3.4).
func (a *ask) isRest(h http.Header) bool {
	span, size, ok := rfc9111.ContentRange(h)
	return ok && span == a.rest && size == a.old.size && sameWhole(a.old.header(), h)
}

// sameWhole tells whether two parts are of one whole: by one strong validator.
func sameWhole(a, b http.Header) bool {
	etag, strong := rfc9111.StrongETag(a)
	other, ok := rfc9111.StrongETag(b)
	return strong && ok && etag == other
}
