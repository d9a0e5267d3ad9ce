package middleware

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/cespare/xxhash/v2"

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
	after   store.Getter // what the store shows to who has a token; nil: it has none
	facts   facts
	control rfc9111.Control // of the request, as far as the policy honours it
	arrived instant
	now     instant // of the last look-up; 0 before the first

	key      string   // a view of buffer, unless it is plain
	plainKey bool     // it is keyfunc.Default's, of a request without reflected fields
	made     *madeKey // what is remembered of it; or nil
	buffer   []byte
	selected []byte   // the normal form of what selects the variant
	variant  [16]byte // its name, in hexadecimal

	// What the last look-up read.
	slot       store.Slot // made by Claim
	base, seen *store.Item
	names      []string // of the Vary record
	why        Reason   // why the request would be forwarded
	unselected bool     // what selects is over the limit
	reloading  bool     // the client wants it newer than what is stored, and may
	tolerant   bool     // the client takes it as stale as it is
	dry        bool     // it is explained, and leaves no traces

	// The caller's own fill, if there was one.
	capture *capture
	run     *swr.Run
	spare   *capture // room for the first; nil: there is none

	served uint // requests this exchange has served, for sampling
}

// exchanges come with room for a capture: one that has been used for a fill is
// gone, and to make the next is then one allocation.
var exchanges = sync.Pool{New: func() any {
	x := new(struct {
		exchange
		capture capture
	})
	x.spare = &x.capture
	return &x.exchange
}}

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
	if r.Method != http.MethodGet || len(lines) == 0 {
		return false
	}
	if unit, _, _ := strings.Cut(lines[0], "="); !strings.EqualFold(unit, "bytes") {
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
	*x = exchange{buffer: x.buffer[:0], selected: x.selected[:0], spare: x.spare, served: x.served}
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

// values is where x is answered from.
func (x *exchange) values() store.Getter {
	if x.after != nil {
		return x.after
	}
	return x.rt.cache.store
}

// makeKey builds the key before the handler can change the request.
func (x *exchange) makeKey() (err error) {
	if x.plainKey = x.rt.defaultKey && x.facts&hasReflected == 0; x.plainKey {
		x.key, x.made, err = x.rt.keys.of(x.r)
	} else {
		err = x.buildKey()
	}
	if err == nil && len(x.key) > x.rt.policy.Limits.Key {
		return errKey
	}
	return err
}

var errKey = errors.New("middleware: key over the limit")

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
	if x.control.Is(rfc9111.OnlyIfCached) && !x.post() {
		switch v, st := g.Peek(x.r.Context(), x); st {
		case swr.Fresh:
			return v, swr.Hit, nil
		case swr.Stale:
			return v, swr.HitStale, nil
		}
		return nil, swr.Miss, errOnlyIfCached
	}
	v, o, err := g.Load(x.r.Context(), x)
	switch {
	case errors.Is(err, swr.ErrRefreshes):
		x.why = ReasonRefreshes
	case o == swr.Hit && x.rt.policy.refreshesEarly(v, x.now, rand.ExpFloat64()):
		_, _ = g.Refresh(x.r.Context(), x, v) // there is time: somebody else will
	}
	return v, o, err
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

	base, err := x.values().Get(ctx, x.key)
	if err != nil {
		return nil, err
	}
	x.base = base
	v, err := x.rt.cache.forms.Decoded(base)
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
	it, err := x.values().Variant(ctx, x.base, view(x.variant[:]))
	if err != nil {
		return nil, err
	}
	x.seen = it
	v, err := x.rt.cache.forms.Decoded(it)
	if err != nil || !bytes.Equal(v.selected, x.selected) {
		return nil, store.ErrNotFound // two selections with one hash: the later one stays
	}
	x.why = ReasonStale
	return v, nil
}

// selectBy computes which of the variants by names this request selects.
func (x *exchange) selectBy(names []string) {
	if x.selected == nil {
		x.selected = make([]byte, 0, 128)
	}
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
	dst = h.appendFields(dst, r.Header, names[:fields])
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
		x.slot.Key = x.key
		if !x.plainKey {
			x.slot.Key = strings.Clone(x.key)
		}
		if x.names != nil {
			x.slot.Variant = string(x.variant[:])
		}
	}
	return store.Claim{Slot: x.slot, Base: x.base, Seen: x.seen, Variants: x.rt.policy.Limits.Variants}
}
