package middleware

import (
	"hash/maphash"
	"net/http"
	"strings"
	"unique"

	"github.com/reprise-go/reprise/internal/known"
	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A keyTable remembers what recent hits without reflected fields asked for: the key that
// keyfunc.Default made of each, which costs four times as much as to compare a request
// with one, and what answers it, once many have asked.
type keyTable struct {
	seed maphash.Seed
	made *known.Table[madeKey]
}

// maxRemembered is how large a madeKey may be to be remembered, in bytes of its
// strings: with it the table is bounded by 3 MiB.
const maxRemembered = 512

// A madeKey is a key and all of the request that it was made of.
type madeKey struct {
	host, uri, path, rawPath, rawQuery string
	secure                             bool
	key                                string

	answer known.Answer

	room [72]byte // of uri, if it is short: a hit on one of very many pages waits for each piece of memory
}

func newKeyTable() *keyTable { return &keyTable{maphash.MakeSeed(), known.NewTable[madeKey]()} }

// find returns what is remembered of r, or nil, and its set and tag.
func (t *keyTable) find(r *http.Request) (m *madeKey, set *known.Set[madeKey], tag uint32) {
	hash := maphash.String(t.seed, r.RequestURI)
	if n := len(r.Host); n > 0 { // many hosts may have the same request line
		hash += uint64(n)*31 + uint64(r.Host[0])*37 + uint64(r.Host[n/2])*41
	}
	set, tag = t.made.Set(hash)
	for m := range set.With(tag) {
		if m.madeOf(r) {
			return m, set, tag
		}
	}
	return nil, set, tag
}

// of returns the key of r, which has no field of keyfunc.ReflectedHeaders, and what is
// remembered of it, or nil.
func (t *keyTable) of(r *http.Request) (key string, m *madeKey, err error) {
	if m, _, _ := t.find(r); m != nil {
		return m.key, m, nil
	}
	var room [512]byte // on the stack
	made, err := keyfunc.Default(room[:0], r)
	return string(made), nil, err
}

// add remembers that r's key is key, if that may be, and returns what is remembered. It
// is for before the answer: who wraps that may change r, as those do that rewrite. So it
// makes the key once more.
func (t *keyTable) add(r *http.Request, key string) *madeKey {
	m, set, tag := t.find(r)
	if m != nil || r.RequestURI == "" || len(r.Host)+len(r.RequestURI)+len(r.URL.Path)+len(r.URL.RawPath)+len(r.URL.RawQuery)+len(key) > maxRemembered {
		return m
	}
	m = &madeKey{
		host: unique.Make(r.Host).Value(), uri: r.RequestURI, path: r.URL.Path, rawPath: r.URL.RawPath, rawQuery: r.URL.RawQuery,
		secure: r.TLS != nil, key: key,
	}
	m.own()
	var room [512]byte
	if made, err := keyfunc.Default(room[:0], r); err != nil || string(made) != key {
		return nil
	}
	set.Add(m, tag, (*madeKey).isWellKnown)
	return m
}

// isBare tells whether a key of keyfunc.Default, for a request with this request line,
// is of what that says of the URL, as far as can be told at a glance: all else in it is
// in brackets.
func isBare(key, uri string) bool {
	return strings.HasPrefix(uri, "/") && strings.IndexByte(key, '<') < 0
}

// own has m hold what it is made of itself, and most of it once.
func (m *madeKey) own() {
	if len(m.uri) <= len(m.room) {
		m.uri = view(m.room[:copy(m.room[:], m.uri)])
	} else {
		m.uri = strings.Clone(m.uri)
	}
	for _, part := range []*string{&m.path, &m.rawPath, &m.rawQuery} {
		if at := strings.Index(m.uri, *part); at >= 0 {
			*part = m.uri[at : at+len(*part)]
		} else {
			*part = strings.Clone(*part)
		}
	}
}

// madeOf tells whether r is the same to keyfunc.Default. A request line is all
// that counts of the URL, beside what routers have made of it.
func (m *madeKey) madeOf(r *http.Request) bool {
	u := r.URL
	return m.uri == r.RequestURI && m.host == r.Host && m.secure == (r.TLS != nil) &&
		u != nil && m.path == u.Path && m.rawPath == u.RawPath && m.rawQuery == u.RawQuery
}

func (m *madeKey) isWellKnown() bool { return m.answer.WellKnown() }

// wellKnown is how many hits make a response well known. Tests set it to 1.
var wellKnown uint32 = known.After

// remember notes that v was a hit of x, and answers the next ones, unless what answers
// them depends on more than the key.
func (x *exchange) remember(v *response) {
	if x.made == nil {
		x.made = x.rt.keys.add(x.r, x.key)
	}
	if x.made != nil && x.names == nil && !v.isPart() {
		x.made.answer.Hit(v.item, x.rt.cache.store, wellKnown)
	}
}

// serveKnown answers a plain request, which has nothing in its header that counts
// but conditions, with what is well known to answer it: what load and reply would
// do, in a straight line. It tells whether it did.
func (rt *route) serveKnown(w http.ResponseWriter, r *http.Request, f facts) bool {
	reading := rt.cache.clock.Read()
	m, _, _ := rt.keys.find(r)
	if m == nil || len(m.key) > rt.policy.Limits.Key {
		return false
	}
	sampled := reading.Lot(known.Sampled) == 0
	it, v := rt.cache.forms.Ready(m.answer.Ref(), reading.Mono)
	if v == nil || sampled && !rt.finds(r, it) {
		return false
	}
	now := instant(reading.Nanos)
	if v.state(now) != swr.Fresh || rt.policy.refreshesEarly(v, now, unlikely) {
		return false
	}
	whole := f&hasConditional == 0 || !v.notModified(r.Header, now)
	v.setFields(w.Header(), v.at(now, rt.cache).forAll(v), whole)
	if !whole {
		w.WriteHeader(http.StatusNotModified)
	} else if w.WriteHeader(v.status); r.Method != http.MethodHead && len(v.body) > 0 {
		w.Write(v.body)
	}
	if sampled {
		rt.recorded(r.Context(), swr.Hit, ReasonNone, store.Monotonic()-reading.Mono)
	} else {
		rt.record.Request(swr.Hit, ReasonNone, 0)
	}
	return true
}

// finds looks it up in the store, so that this learns that it was asked for, and tells
// whether it is there.
func (rt *route) finds(r *http.Request, it *store.Item) bool {
	found, err := rt.cache.store.Get(r.Context(), it.Key)
	return err == nil && found == it
}
