package middleware

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"github.com/go-chi/chi/v5"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// An exchange is one request and what becomes of it. It is the swr.Source of
// its caller, and pooled.
type exchange struct {
	rt      *route
	outer   *scratch            // of a cache around this one
	w       http.ResponseWriter // nil in a background refresh
	r       *http.Request
	facts   facts
	control rfc9111.Control // of the request, as far as the policy honours it
	arrived instant
	now     instant // of the last look-up; 0 before the first

	key      string // may be a view of buffer
	buffer   []byte
	selected []byte   // the normal form of what selects the variant
	variant  [16]byte // its name, in hexadecimal

	// What the last look-up read.
	slot       store.Slot // made by Claim
	base, seen *store.Item
	names      []string // of the Vary record
	why        Reason   // why the request would be forwarded
	unselected bool     // what selects is over the limit

	// The caller's own fill, if there was one.
	capture *capture
	run     *swr.Run

	served uint     // requests this exchange has served, for sampling
	lines  []string // see space
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func newExchange(rt *route, w http.ResponseWriter, r *http.Request, f facts) *exchange {
	x := exchanges.Get().(*exchange)
	x.rt, x.w, x.r, x.facts = rt, w, r, f
	x.arrived = rt.cache.clock.now()
	x.served++
	if f&hasControl != 0 {
		x.control = rt.honoured(rfc9111.RequestControl(r.Header))
	}
	return x
}

// maxPooled bounds the buffers that a pooled exchange keeps, in bytes.
const maxPooled = 16 << 10

// free gives x back. A handler that panics never comes here, and the garbage
// collector takes it.
func (x *exchange) free() {
	if x.capture != nil || cap(x.buffer)+cap(x.selected) > maxPooled {
		return // a handler that has returned may still have goroutines that write
	}
	*x = exchange{buffer: x.buffer[:0], selected: x.selected[:0], served: x.served, lines: x.lines}
	exchanges.Put(x)
}

// honoured leaves of a request's directives what the policy lets count.
func (h *handler) honoured(c rfc9111.Control) rfc9111.Control {
	switch h.policy.Advanced.ClientDirectives {
	case IgnoreReload:
		c.Has &^= rfc9111.NoCache | rfc9111.MaxAge | rfc9111.MinFresh
	case IgnoreDirectives:
		c.Has = 0
	}
	return c
}

// makeKey builds the key before the handler can change the request.
func (x *exchange) makeKey() (err error) {
	if !x.rt.defaultKey || x.facts&hasReflected != 0 {
		return x.buildKey()
	}
	x.key, err = x.rt.keys.of(x.r)
	return err
}

// buildKey calls the key function. What it returns may be a slice of its own,
// which must not become the buffer of other requests' keys.
func (x *exchange) buildKey() error {
	if x.buffer == nil {
		x.buffer = make([]byte, 0, 512)
	}
	key, err := x.rt.policy.Key(x.buffer, x.r)
	x.key = view(key)
	if len(key) > cap(x.buffer) {
		x.buffer = make([]byte, 0, 2*len(key))
	}
	return err
}

func (x *exchange) load() (*response, swr.Outcome, error) {
	g := x.rt.plain
	if x.rt.credentialed(x.facts) {
		g = x.rt.private
	}
	if x.control.Is(rfc9111.OnlyIfCached) {
		switch v, st := g.Peek(x.r.Context(), x); st {
		case swr.Fresh:
			return v, swr.Hit, nil
		case swr.Stale:
			return v, swr.HitStale, nil
		}
		return nil, swr.Miss, errOnlyIfCached
	}
	return g.Load(x.r.Context(), x)
}

// Lookup reads the base entry, and where that is a Vary record, the variant
// that this request selects (RFC 9111 §4.1).
func (x *exchange) Lookup(ctx context.Context) (*response, error) {
	x.base, x.seen, x.names, x.slot = nil, nil, nil, store.Slot{}
	x.why, x.unselected = ReasonURI, false
	if x.now == 0 {
		x.now = x.arrived // the first look-up: reading the clock is a tenth of a hit
	} else {
		x.now = x.rt.cache.clock.now()
	}

	base, err := x.rt.cache.store.Get(ctx, x.key)
	if err != nil {
		return nil, err
	}
	x.base = base
	v, err := store.Decoded(base, decodeResponse)
	if err != nil {
		return nil, store.ErrNotFound // the next fill replaces it
	}
	if !containsAll(v.names, x.rt.selectors) {
		return nil, store.ErrNotFound // stored when the policy named less
	}
	if !v.isRecord() {
		x.why = ReasonStale
		return v, nil
	}
	return x.lookupVariant(ctx, v.names)
}

func containsAll(names, wanted []string) bool {
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			return false
		}
	}
	return true
}

func (x *exchange) lookupVariant(ctx context.Context, names []string) (*response, error) {
	x.why, x.names = ReasonVary, names
	x.selectBy(names)
	if x.unselected {
		return nil, store.ErrNotFound
	}
	it, err := x.rt.cache.store.Variant(ctx, x.base, view(x.variant[:]))
	if err != nil {
		return nil, err
	}
	x.seen = it
	v, err := store.Decoded(it, decodeResponse)
	if err != nil || !bytes.Equal(v.selected, x.selected) {
		return nil, store.ErrNotFound // two selections with one hash: the later one stays
	}
	x.why = ReasonStale
	return v, nil
}

// selectBy computes which of the variants by names this request selects.
func (x *exchange) selectBy(names []string) {
	x.selected = appendSelected(x.selected[:0], x.r, names)
	x.unselected = len(x.selected) > x.rt.policy.Limits.Selected
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], xxhash.Sum64(x.selected))
	hex.Encode(x.variant[:], sum[:])
}

// cookiePrefix marks, among the names that select, those of cookies.
const cookiePrefix = "cookie:"

// appendSelected appends the normal form of what names select in r: the header
// fields, then the cookies.
func appendSelected(dst []byte, r *http.Request, names []string) []byte {
	fields := len(names)
	for fields > 0 && strings.HasPrefix(names[fields-1], cookiePrefix) {
		fields--
	}
	dst = rfc9111.AppendSelecting(dst, r.Header, names[:fields])
	for _, name := range names[fields:] {
		dst = append(dst, '\n') // which is not in the fields' form
		for value := range cookies(r.Header, name[len(cookiePrefix):]) {
			dst = appendString(append(dst, '+'), value)
		}
	}
	return dst
}

// view returns b as a string without copying it: for look-ups alone, which by
// store.Getter's contract do not keep it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Claim names what the last Lookup read, in strings that may be kept.
func (x *exchange) Claim() store.Claim {
	if x.slot.Key == "" {
		x.slot.Key = strings.Clone(x.key)
		if x.names != nil {
			x.slot.Variant = string(x.variant[:])
		}
	}
	return store.Claim{Slot: x.slot, Base: x.base, Seen: x.seen}
}

// State says what this request may do with v.
func (x *exchange) State(v *response) swr.State {
	switch {
	case v == nil && x.solitary():
		return swr.Alone
	case v == nil || !x.selects(v):
		return swr.Absent
	case x.withheld(v):
		x.why = ReasonRequest
		return swr.Alone
	}
	st := v.state(x.now)
	if !x.content(v) {
		x.why = ReasonRequest
		st = swr.Absent
	}
	if st < swr.Stale && x.solitary() && !(st == swr.Fallback && x.capture != nil) {
		return swr.Alone // and only once the handler has failed, Fallback
	}
	return st
}

// selects tells whether a response that was just made is the variant of this
// request. Of what is stored, Lookup has made sure.
func (x *exchange) selects(v *response) bool {
	if len(v.by) == 0 {
		return true
	}
	x.selected = appendSelected(x.selected[:0], x.r, v.by)
	return bytes.Equal(x.selected, v.selected)
}

// standsIn tells whether v may stand in for an error (RFC 5861 §4).
func (x *exchange) standsIn(v *response) bool {
	return v != nil && v.state(x.now) >= swr.Fallback && x.content(v) && !x.withheld(v)
}

// solitary tells whether the answer to this request is nobody else's: a HEAD,
// a part or a failed precondition is not the whole (RFC 9111 §3.3), and a client may ask that its
// answer be not stored (§5.2.1.5).
func (x *exchange) solitary() bool {
	return x.r.Method == http.MethodHead || x.facts&(hasRange|hasPrecondition) != 0 || x.unselected || x.control.Is(rfc9111.NoStore)
}

// withheld tells whether v is not for a request with these credentials.
func (x *exchange) withheld(v *response) bool {
	if !x.rt.credentialed(x.facts) {
		return false
	}
	return v.marks&implicit != 0 || x.facts&hasAuthorization != 0 && v.marks&shared == 0
}

// content tells whether v is as new as the client asks (RFC 9111 §5.2.1). What
// was made for a request that came no earlier than this one is.
func (x *exchange) content(v *response) bool {
	if !x.control.Is(rfc9111.NoCache|rfc9111.MaxAge|rfc9111.MinFresh) || v.item == nil || v.started >= x.arrived {
		return true
	}
	age := v.age(x.now)
	switch {
	case x.control.Is(rfc9111.NoCache):
		return false
	case x.control.Is(rfc9111.MaxAge) && age > x.control.MaxAge:
		return false
	case x.control.Is(rfc9111.MinFresh) && v.windows.Fresh-age < x.control.MinFresh:
		return false
	}
	return true
}

// Fill runs the handler into a capture.
func (x *exchange) Fill(ctx context.Context, run *swr.Run, old *response) (swr.Made[*response], error) {
	c := newCapture(x, run, old)
	x.capture, x.run = c, run
	c.ctx, c.scratch.store, c.scratch.outer = ctx, x.rt.cache.store, x.outer
	r := x.r.WithContext(context.WithValue(ctx, scratchKey{}, &c.scratch))
	// Handlers change their requests; what counts here is what came.
	r.Header = r.Header.Clone()
	u := *r.URL
	r.URL = &u
	if !run.Solo() {
		unconditional(r.Header)
	}
	x.rt.next.ServeHTTP(c, r)
	return c.finish()
}

// unconditional makes the handler answer whole: what it makes is for others
// too, and the client's own conditions are answered from that.
func unconditional(h http.Header) {
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"} {
		delete(h, name)
	}
}

// Detach returns an exchange for a refresh behind the caller, with a request
// of its own. chi takes its RouteContext back when ServeHTTP ends and gives it
// to another request: the refresh gets a clone.
//
// A HEAD starts no refresh: the router may have another handler for a GET. Nor
// does a request that asks for nothing to be stored.
func (x *exchange) Detach(ctx context.Context) (context.Context, swr.Source[*response]) {
	if x.r.Method != http.MethodGet || x.control.Is(rfc9111.NoStore) {
		return ctx, nil
	}
	ctx = context.WithoutCancel(ctx)
	if rctx := chi.RouteContext(ctx); rctx != nil {
		ctx = context.WithValue(ctx, chi.RouteCtxKey, rctx.Clone())
	}
	r := x.r.Clone(ctx)
	r.Body = http.NoBody
	unconditional(r.Header)
	r.Header.Del("Cache-Control") // the client's, not the cache's
	r.Header.Del("Pragma")
	claim := x.Claim()
	d := &exchange{
		rt: x.rt, outer: x.outer, r: r, facts: x.facts &^ (hasConditional | hasPrecondition | hasRange | hasControl),
		arrived: x.arrived, now: x.now,
		key: claim.Key, selected: bytes.Clone(x.selected), variant: x.variant,
		slot: claim.Slot, base: x.base, seen: x.seen, names: x.names, why: ReasonStale,
	}
	return ctx, d
}
