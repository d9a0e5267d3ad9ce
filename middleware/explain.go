package middleware

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// An Explanation says what a cache does with a request, and why.
type Explanation struct {
	// Policy is the name of the one that the request reached first; "": it reached
	// none, and Status is what was answered by who came before, or by a handler
	// without a policy.
	Policy string `json:"policy"`
	Status int    `json:"status,omitempty"`

	// Outcome and Reason are what the request would be counted as now: hit, stale, miss
	// or bypass. Those of a request that was tried are what it was.
	Outcome swr.Outcome `json:"outcome"`
	Reason  Reason      `json:"reason"`
	// Together tells of a miss whether others may wait for its response.
	Together bool `json:"together"`

	// Key is what the policy's key function has made of the request, and Parts what it
	// holds, if package keyfunc has made it.
	Key   string         `json:"key,omitempty"`
	Parts []keyfunc.Part `json:"parts,omitempty"`

	// Variant is the name of the one that the request selects, of the fields and
	// cookies in Selects, whose values are in the normal form in which they are compared.
	Variant  string   `json:"variant,omitempty"`
	Selects  []string `json:"selects,omitempty"`
	Selected string   `json:"selected,omitempty"`

	// Passing is why responses for it were not stored lately: while it is remembered,
	// nobody waits for somebody else's. ReasonNone: nothing is.
	Passing Reason `json:"passing"`

	// Entry is what is stored for the request; nil: nothing.
	Entry *ExplainedEntry `json:"entry,omitempty"`
	// Err is what kept the store from being asked, if anything did.
	Err string `json:"err,omitempty"`

	// Recent is what became of the last requests with this key, hits and bypasses left
	// out, the latest first: at most 32, of the last 512 of this policy in this process.
	Recent []Event `json:"recent,omitempty"`

	// Tried is what became of the request; nil: it was not tried, or nothing had to
	// be made for it.
	Tried *Trial `json:"tried,omitempty"`
}

// An ExplainedEntry is what a store holds for a request.
type ExplainedEntry struct {
	Tier    string   `json:"tier"`  // "memory" of this process, or "store"
	State   string   `json:"state"` // what this request may do with it, in words
	Status  int      `json:"status"`
	Body    int      `json:"body"` // bytes
	ETag    string   `json:"etag,omitempty"`
	Tags    []string `json:"tags,omitempty"`    // those of Tag and Policy.Tags
	Markers []string `json:"markers,omitempty"` // what else counts of it, in words

	Born    time.Time     `json:"born"`     // when its age was 0
	Age     time.Duration `json:"age_ns"`   // RFC 9111 §4.2.3
	Fresh   time.Duration `json:"fresh_ns"` // of its life, from Born; the other windows begin at its end
	Stale   time.Duration `json:"stale_ns"` // stale-while-revalidate (RFC 5861 §3)
	Error   time.Duration `json:"error_ns"` // stale-if-error (§4)
	Expires time.Time     `json:"expires"`  // when the store forgets it
}

// A Trial is a response that was made to see what becomes of it. Nothing of it
// is stored.
type Trial struct {
	Status int           `json:"status"`
	Header http.Header   `json:"header"` // as its client would get it
	Body   int           `json:"body"`   // bytes
	Took   time.Duration `json:"took_ns"`

	// Stored tells whether it would be stored, and the rest what with: its windows as
	// an ExplainedEntry has them, its tags, and what would select it among variants.
	Stored  bool          `json:"stored"`
	Fresh   time.Duration `json:"fresh_ns"`
	Stale   time.Duration `json:"stale_ns"`
	Error   time.Duration `json:"error_ns"`
	Tags    []string      `json:"tags,omitempty"`
	Selects []string      `json:"selects,omitempty"`
}

// Explain says what the policy that r reaches in routes would do with it, by the
// way that requests take. It goes through what stands before the policy, a limiter of
// rates for instance, as a GET or HEAD does, and its body is not read; the policy's handler
// does not run, unless try is set and it would have to: then what it answers is judged
// and not stored. Where no policy stands in its way, r is answered, and the
// answer is discarded. A request with another method looks for its policy as a GET,
// so that nothing can be changed by it.
//
// Of a policy within another the outer one explains.
func (c *Cache) Explain(routes http.Handler, r *http.Request, try bool) *Explanation {
	e := &Explanation{Outcome: swr.Bypass}
	as := &explaining{Explanation: e, method: r.Method, length: r.ContentLength, try: try}
	ctx := &scratchContext{r.Context(), &scratch{explaining: as}}
	r = r.Clone(ctx)
	r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
	if r.Method != http.MethodHead {
		r.Method = http.MethodGet
	}
	w := &counter{header: make(http.Header)}
	routes.ServeHTTP(w, r)
	if e.Policy == "" {
		e.Status = w.status
	}
	return e
}

// An explaining is an Explanation being made, with what its request has said.
type explaining struct {
	*Explanation
	method string
	length int64
	try    bool
}

// explains returns what is to be explained instead of answered, or nil.
func (s *scratch) explains() *explaining {
	if s == nil {
		return nil
	}
	return s.explaining
}

// explain says what ServeHTTP would do with r.
func (rt *route) explain(r *http.Request, e *explaining) {
	if e.Policy != "" {
		return
	}
	e.Policy = rt.policy.Name
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Method, r.ContentLength = e.method, e.length
	r, after := rt.cache.tokens.read(r)
	f, why := rt.look(r)
	if why != ReasonNone {
		e.Outcome, e.Reason = swr.Bypass, why
		return
	}
	w := &counter{header: make(http.Header)}
	x := newExchange(rt.dry(), w, r, f)
	x.dry, x.after = true, after
	defer x.free()
	if err := x.makeKey(); err != nil {
		e.Outcome, e.Reason, e.Err = swr.Bypass, ReasonKey, err.Error()
		return
	}
	e.Key = strings.Clone(x.key) // which may be a view
	e.Parts = keyfunc.Read(e.Key)
	e.look(x)
	e.Recent, e.Passing = rt.recent.of(x.key), rt.passing(x)
	if e.try && e.Outcome == swr.Miss {
		e.run(x, w)
	}
}

// dry returns rt as it is for a request that leaves no traces: its fills have no leases,
// so that nothing is stored. What counts requests is never called for one.
func (rt *route) dry() *route {
	h := *rt.handler
	h.plain = swr.NewGroup[*response](swr.Options{FillTimeout: h.policy.Limits.Fill, WaitTimeout: h.policy.Limits.Wait})
	h.private = h.plain
	return &route{&h, rt.next}
}

// look says what is stored for x, and what x may do with it.
func (e *explaining) look(x *exchange) {
	kept := isLocal(x.rt.cache.store, store.Slot{Key: x.key})
	v, err := x.Lookup(x.r.Context())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		e.Err = err.Error()
	}
	if err != nil {
		v = nil
	}
	st := x.State(v)
	e.Outcome, e.Reason = swr.Miss, x.why
	switch st {
	case swr.Fresh:
		e.Outcome, e.Reason = swr.Hit, ReasonNone
	case swr.Stale:
		e.Outcome = swr.HitStale
	case swr.Absent, swr.Fallback:
		e.Together = !x.control.Is(rfc9111.OnlyIfCached)
	}
	if x.names != nil {
		e.Variant, e.Selects, e.Selected = string(x.variant[:]), x.names, string(x.selected)
	}
	if v != nil {
		e.Entry = v.explain(x, st)
		if e.Entry.Tier = "store"; kept {
			e.Entry.Tier = "memory"
		}
	}
}

// passing tells why responses for what x asks for were not stored lately.
func (h *handler) passing(x *exchange) Reason {
	g := h.plain
	if h.credentialed(x.facts) {
		g = h.private
	}
	if why := g.Passing(x.Claim().Slot); why != nil {
		return reasonOf(why)
	}
	return ReasonNone
}

// isLocal tells whether st keeps slot in this process.
func isLocal(st store.Store, slot store.Slot) bool {
	l, ok := st.(store.Locator)
	return ok && l.Local(slot)
}

// stateNames are how explanations call what one caller may do.
var stateNames = [...]string{
	swr.Absent: "not usable", swr.Alone: "not for this request", swr.Apart: "to be confirmed for each request",
	swr.Fallback: "usable if the handler fails", swr.Stale: "stale", swr.Fresh: "fresh",
}

func (r *response) explain(x *exchange, st swr.State) *ExplainedEntry {
	e := &ExplainedEntry{
		State: stateNames[st], Status: r.status, Body: len(r.body), ETag: r.fieldValue("Etag"),
		Tags: r.userTags(), Markers: r.marks.names(),
		Born: r.born.time(), Age: r.age(x.now), Fresh: r.windows.Fresh, Stale: r.windows.Stale, Error: r.windows.Error,
	}
	if r.item != nil {
		e.Expires = r.item.Expires()
		if r.item.Soft() {
			e.Markers = append(e.Markers, "purged softly")
		}
	}
	if r.isPart() {
		e.Markers = append(e.Markers, "part")
	}
	return e
}

func (m marks) names() (names []string) {
	for _, n := range [...]struct {
		mark marks
		name string
	}{
		{implicit, "implicit freshness"}, {shared, "shared with authorized requests"}, {firm, "never used stale"},
		{generated, "generated ETag"}, {asked, "confirmed for each request"},
	} {
		if m&n.mark != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// run makes the response that x needs, and says what would become of it.
func (e *explaining) run(x *exchange, w *counter) {
	v, o, err := x.load()
	x.reply(v, o, err)
	e.Outcome, e.Reason = o, x.reason(o)
	t := &Trial{Status: w.status, Header: w.header, Body: w.body, Took: x.took()}
	if t.Status == 0 {
		t.Status = http.StatusOK
	}
	if x.capture != nil && x.stored() {
		made := &x.capture.made.response
		t.Stored, t.Tags, t.Selects = true, made.tags, made.by
		t.Fresh, t.Stale, t.Error = made.windows.Fresh, made.windows.Stale, made.windows.Error
	}
	e.Tried = t
}

// A counter is the ResponseWriter of an answer that nobody gets.
type counter struct {
	header http.Header
	status int
	body   int
}

func (w *counter) Header() http.Header { return w.header }

func (w *counter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *counter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body += len(p)
	return len(p), nil
}

// Flush is for handlers that ask for an http.Flusher.
func (w *counter) Flush() { w.WriteHeader(http.StatusOK) }
