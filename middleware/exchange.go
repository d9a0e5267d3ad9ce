package middleware

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/http"
	"runtime/debug"
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
	reloads    bool     // the client wants it newer than what is stored, and may
	tolerant   bool     // the client takes it as stale as it is

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
	if f&hasRange != 0 && !rangeable(r) {
		x.facts &^= hasRange
	}
	if f&hasControl != 0 {
		x.control = rt.honoured(rfc9111.RequestControl(r.Header))
	}
	return x
}

// maxRanges is how many ranges one request may ask for. With more it is
// answered whole, as RFC 9110 §14.2 allows.
const maxRanges = 16

// rangeable tells whether r's Range counts: it does with GET alone (§14.2), and
// not if it has another unit.
func rangeable(r *http.Request) bool {
	lines := r.Header["Range"]
	if r.Method != http.MethodGet || len(lines) == 0 || !strings.HasPrefix(lines[0], "bytes=") {
		return false
	}
	n := rfc9111.CountRanges(lines[:1])
	return 0 < n && n <= maxRanges
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
	x.selected = x.rt.appendSelected(x.selected[:0], x.r, names)
	x.unselected = len(x.selected) > x.rt.policy.Limits.Selected
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], xxhash.Sum64(x.selected))
	hex.Encode(x.variant[:], sum[:])
}

// cookiePrefix marks, among the names that select, those of cookies.
const cookiePrefix = "cookie:"

// appendSelected appends the normal form of what names select in r: the header
// fields, then the cookies.
func (h *handler) appendSelected(dst []byte, r *http.Request, names []string) []byte {
	fields := len(names)
	for fields > 0 && strings.HasPrefix(names[fields-1], cookiePrefix) {
		fields--
	}
	dst = rfc9111.AppendSelecting(dst, h.selecting(r.Header, names[:fields]), names[:fields])
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
	return store.Claim{Slot: x.slot, Base: x.base, Seen: x.seen, Variants: x.rt.policy.Limits.Variants}
}

// State says what this request may do with v.
func (x *exchange) State(v *response) swr.State {
	st := swr.Absent
	switch {
	case x.post():
		return swr.Apart
	case x.facts&hasPrecondition != 0: // the handler's to evaluate (RFC 9111 §4.3.2)
		return swr.Alone
	case v == nil || !x.selects(v):
		v = nil
	case x.withheld(v):
		x.why = ReasonRequest
		return swr.Alone
	default:
		st = x.permits(v)
	}
	switch {
	case st >= swr.Stale, st == swr.Fallback && x.capture != nil: // the latter once the handler has failed
		return st
	case x.solitary():
		return swr.Alone
	case x.apart(v):
		return swr.Apart
	}
	return st
}

// permits says what the request may do with v, which was made for others.
func (x *exchange) permits(v *response) swr.State {
	st := v.state(x.now)
	switch {
	case v.isPart() && !x.within(v):
		x.why = ReasonPartial
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

// standsIn tells whether v may stand in for an error (RFC 5861 §4).
func (x *exchange) standsIn(v *response) bool {
	return v != nil && v.state(x.now) >= swr.Fallback && x.content(v) && !x.withheld(v) && (!v.isPart() || x.within(v))
}

// solitary tells whether the answer to this request is nobody else's and of no
// use to anybody else: a client may ask that its answer be not stored (RFC 9111
// §5.2.1.5).
func (x *exchange) solitary() bool {
	return x.unselected || x.control.Is(rfc9111.NoStore) ||
		x.r.Method == http.MethodHead && x.facts&hasConditional != 0
}

// post tells whether x is a POST whose answer may be stored.
func (x *exchange) post() bool { return x.r.Method == http.MethodPost }

// apart tells whether the answer is nobody else's, but of use: because the
// request is narrow, or because the handler is to be asked for each request
// (RFC 9111 §5.2.2.4).
func (x *exchange) apart(v *response) bool {
	return x.narrow(v) || v != nil && v.windows.Fresh+v.windows.Stale == 0
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
	return v == nil || v.isPart() || !v.confirmable()
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
	if !x.reloads {
		x.reloads = x.rt.reloads.allow(x.key, x.now)
	}
	return !x.reloads
}

// tolerates tells whether the client takes v as stale as it is (RFC 9111
// §5.2.1.2), and nothing in v forbids it (§4.2.4).
func (x *exchange) tolerates(v *response) bool {
	return x.control.Is(rfc9111.MaxStale) && v.marks&firm == 0 && v.age(x.now)-v.windows.Fresh <= x.control.MaxStale
}

// Fill runs the handler into a capture. Where that answers a question of ours
// with what fits nothing, it is asked again, and plainly.
func (x *exchange) Fill(ctx context.Context, run *swr.Run, old *response) (swr.Made[*response], error) {
	if x.post() {
		old = nil // it is about something else
	}
	a := x.ask(run, old)
	if a.kind == forNew {
		return x.attempt(ctx, run, old, a)
	}
	again := freshRoute(ctx)
	made, err := x.attempt(ctx, run, old, a)
	if errors.Is(err, errUnfit) {
		a.kind = forNew
		made, err = x.attempt(again, run, old, a)
	}
	return made, err
}

// freshRoute returns ctx with a clone of chi's RouteContext, in which routers
// note how far they have come.
func freshRoute(ctx context.Context) context.Context {
	if rctx := chi.RouteContext(ctx); rctx != nil {
		return context.WithValue(ctx, chi.RouteCtxKey, rctx.Clone())
	}
	return ctx
}

func (x *exchange) attempt(ctx context.Context, run *swr.Run, old *response, a ask) (made swr.Made[*response], err error) {
	c := newCapture(ctx, x, run, old, a)
	x.capture, x.run = c, run
	r := x.r.WithContext(context.WithValue(ctx, scratchKey{}, &c.scratch))
	// Handlers change their requests; what counts here is what came.
	r.Header = r.Header.Clone()
	u := *r.URL
	r.URL = &u
	a.apply(r.Header)
	x.rt.negotiate(r.Header)
	panics := true
	defer func() {
		if panics && c.recovers() {
			err = &swr.PanicError{Value: recover(), Stack: debug.Stack()}
		}
	}()
	x.rt.next.ServeHTTP(c, r)
	panics = false
	return c.finish()
}

// Detach returns an exchange for a refresh behind the caller, with a request
// of its own. chi takes its RouteContext back when ServeHTTP ends and gives it
// to another request: the refresh gets a clone.
//
// A HEAD starts no refresh: the router may have another handler for a GET. Nor
// does a request that asks for nothing to be stored, or one that alone takes
// what is stale: nobody asked for a refresh.
func (x *exchange) Detach(ctx context.Context) (context.Context, swr.Source[*response]) {
	if x.r.Method != http.MethodGet || x.control.Is(rfc9111.NoStore) || x.tolerant {
		return ctx, nil
	}
	ctx = freshRoute(context.WithoutCancel(ctx))
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
