package middleware

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/reprise-go/reprise/internal/known"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A handler is a compiled Policy.
type handler struct {
	cache  *Cache
	policy Policy
	record Requests
	traced TracedRequests // record, if requests have traces and it takes them; or nil

	// defaultKey: the policy has no key function of its own, and keys
	// remembers what keyfunc.Default makes of requests.
	defaultKey bool
	selectors  []string // what selects by the policy alone
	plainKeys  bool     // defaultKey, and there are no selectors
	keys       *keyTable
	reloads    *reloads
	recent     *recent
	notices    *notices
	bypassed   [ReasonURI]*bypassed // by the reason
	stored     [NumReasons]string   // Cache-Status of what a handler has made and the store taken, by why it was asked

	// Requests with credentials have a group of their own: that their
	// responses are not to be shared says nothing about other requests', which
	// need not stop queueing for it. The store's leases join the two.
	plain, private *swr.Group[*response]
}

func newHandler(c *Cache, p Policy) *handler {
	h := &handler{cache: c, record: c.opts.recorder.Policy(p.Name), defaultKey: p.Key == nil, keys: c.keys}
	if c.opts.trace != nil {
		h.traced, _ = h.record.(TracedRequests)
	}
	p = p.withDefaults()
	h.policy = p
	h.selectors, _ = p.selectors(nil)
	h.plainKeys = h.defaultKey && len(h.selectors) == 0
	h.reloads, h.recent = newReloads(p.Limits.Reloads), newRecent()
	h.notices = &notices{log: c.opts.logger.With("policy", p.Name)}
	for why := range ReasonURI {
		h.bypassed[why] = newBypassed(c.opts.name, why)
	}
	for why := range NumReasons {
		h.stored[why] = c.opts.name + "; fwd=" + forwarded(why) + "; fwd-status=200" + stored
	}
	o := swr.Options{
		Leases:      c.store,
		FillTimeout: p.Limits.Fill,
		WaitTimeout: p.Limits.Wait,
		Waiters:     p.Limits.Waiters,
		Refreshes:   c.opts.refreshes,
		Observe:     observer{h.record, h.notices.log},
	}
	h.plain = swr.NewGroup[*response](o)
	h.private = h.plain.Sibling()
	return h
}

func (h *handler) wrap(next http.Handler) http.Handler { return &route{h, next} }

// A route is a handler around the next one.
type route struct {
	*handler
	next http.Handler
}

// ServeHTTP answers from the store what may be, fills it once for everyone what
// may be shared, and otherwise stands aside.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	outer := scratchOf(r.Context())
	if outer.fills(rt.cache.store) {
		rt.next.ServeHTTP(w, r) // the policy around this one stores the response
		return
	}
	if e := outer.explains(); e != nil {
		rt.explain(r, e)
		return
	}
	r, after := rt.cache.tokens.read(r)
	f, why := rt.look(r)
	if why != ReasonNone {
		rt.bypass(w, r, why)
		return
	}
	if f&^hasConditional == 0 && outer == nil && after == nil && rt.plainKeys && rt.serveKnown(w, r, f) {
		return
	}
	x := newExchange(rt, w, r, f)
	x.outer, x.after = outer, after
	if err := x.makeKey(); err != nil {
		x.free()
		rt.bypass(w, r, ReasonKey)
		return
	}
	v, outcome, err := x.load()
	if outcome == swr.Hit && x.plainKey {
		x.remember(v)
	}
	x.reply(v, outcome, err)
	x.count(outcome)
	x.free()
}

// bypass lets the next handler answer as if there were no cache. Where the
// method is unsafe, a good answer drops what is stored for the URL.
func (rt *route) bypass(w http.ResponseWriter, r *http.Request, why Reason) {
	var began time.Time
	if timed := rand.Uint32()%known.Sampled == 0; timed || why == ReasonMethod {
		began = time.Now()
	}
	if why == ReasonMethod {
		iw := &invalidating{ResponseWriter: w, rt: rt, r: r}
		if f, may := rt.storesPOST(r); may {
			rt.post(iw, r, f)
		} else {
			rt.next.ServeHTTP(iw, r)
		}
		iw.decide(http.StatusOK)
	} else {
		rt.bypassed[why].stamp(w.Header(), rt.cache)
		rt.next.ServeHTTP(w, r)
	}
	var took time.Duration
	if !began.IsZero() {
		took = time.Since(began)
	}
	rt.recorded(r.Context(), swr.Bypass, why, took)
	rt.notices.note("", swr.Bypass, why)
}

// observer passes what a Group did to the recorder, and what a human should
// know to the log. It logs no keys: they may hold personal data.
type observer struct {
	Requests
	log *slog.Logger
}

func (o observer) Filled(key string, took time.Duration, background bool, err error) {
	o.Requests.Filled(key, took, background, err)
	if err == nil {
		return
	}
	var p *swr.PanicError
	switch {
	case errors.As(err, &p) && p.Value != any(http.ErrAbortHandler): // by which a handler gives up in silence
		o.log.Error("handler panicked", "background", background, "panic", p.Value, "stack", string(p.Stack))
	case background && !errors.Is(err, store.ErrOvertaken):
		o.log.Warn("background refresh failed", "err", err)
	}
}

func (o observer) StoreFailed(op string, err error) {
	o.Requests.StoreFailed(op, err)
	o.log.Debug("store failed", "op", op, "err", err)
}
