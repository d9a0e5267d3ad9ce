package middleware

import (
	"hash/maphash"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/reprise-go/reprise/keyfunc"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/swr"
)

// A keyTable remembers what recent requests without reflected fields asked for:
// the key that keyfunc.Default made of each, which costs four times as much as to
// compare a request with one, and where what answers it is, once many have asked.
// It is a bounded table in which a later request takes an earlier one's place, of
// a few that it may be in: with one place for each, half of a thousand pages would
// take turns in theirs.
type keyTable struct {
	seed maphash.Seed
	sets [keySets]keySet
}

// A keySet is the places of the requests with one remainder of their hash, with
// some bits of it by which to see which one to look at.
type keySet struct {
	tags [keyWays]atomic.Uint32
	made [keyWays]atomic.Pointer[madeKey]
}

const (
	keySets = 1024
	keyWays = 4
)

// maxRemembered is how large a madeKey may be to be remembered, in bytes of its
// strings: with it the table is bounded by 3 MiB.
const maxRemembered = 512

// A madeKey is a key and all of the request that it was made of.
type madeKey struct {
	host, uri, path, rawPath, rawQuery string
	secure                             bool
	key                                string

	hits   atomic.Uint32 // up to wellKnown
	answer atomic.Pointer[store.Ref]
}

func newKeyTable() *keyTable { return &keyTable{seed: maphash.MakeSeed()} }

// find returns what is remembered of r, or nil, and its set and tag.
func (t *keyTable) find(r *http.Request) (m *madeKey, set *keySet, tag uint32) {
	hash := maphash.String(t.seed, r.RequestURI)
	if n := len(r.Host); n > 0 { // many hosts may have the same request line
		hash += uint64(n)*31 + uint64(r.Host[0])*37 + uint64(r.Host[n/2])*41
	}
	set, tag = &t.sets[hash%keySets], uint32(hash>>32)
	for i := range set.made {
		if set.tags[i].Load() == tag {
			if m := set.made[i].Load(); m != nil && m.madeOf(r) {
				return m, set, tag
			}
		}
	}
	return nil, set, tag
}

// add has set remember m, where nothing is or in the place of something that is not
// well known, if it can. A tag that is another's for a moment only hides what is there.
func (set *keySet) add(m *madeKey, tag uint32) {
	first := rand.IntN(keyWays)
	place := first
	for i := range keyWays {
		at := (first + i) % keyWays
		old := set.made[at].Load()
		if old == nil {
			place = at
			break
		}
		if old.answer.Load() == nil {
			place = at
		}
	}
	set.made[place].Store(m)
	set.tags[place].Store(tag)
}

// of returns the key of r, which has no field of keyfunc.ReflectedHeaders.
func (t *keyTable) of(r *http.Request) (*madeKey, error) {
	m, set, tag := t.find(r)
	if m != nil {
		return m, nil
	}
	var room [512]byte // on the stack
	key, err := keyfunc.Default(room[:0], r)
	if err != nil {
		return nil, err
	}
	m = &madeKey{
		host: r.Host, uri: r.RequestURI, path: r.URL.Path, rawPath: r.URL.RawPath, rawQuery: r.URL.RawQuery,
		secure: r.TLS != nil, key: string(key),
	}
	if m.uri != "" && m.size() <= maxRemembered {
		set.add(m, tag)
	}
	return m, nil
}

// bare tells whether the key is of what the request line says of the URL, as far
// as can be told at a glance: keyfunc.Default puts all else in brackets.
func (m *madeKey) bare() bool {
	return strings.HasPrefix(m.uri, "/") && strings.IndexByte(m.key, '<') < 0
}

func (m *madeKey) size() int {
	return len(m.host) + len(m.uri) + len(m.path) + len(m.rawPath) + len(m.rawQuery) + len(m.key)
}

// madeOf tells whether r is the same to keyfunc.Default. A request line is all
// that counts of the URL, beside what routers have made of it.
func (m *madeKey) madeOf(r *http.Request) bool {
	u := r.URL
	return m.uri == r.RequestURI && m.host == r.Host && m.secure == (r.TLS != nil) &&
		u != nil && m.path == u.Path && m.rawPath == u.RawPath && m.rawQuery == u.RawQuery
}

// wellKnown is how many hits make a response well known. A store that drops what
// is used least has learned by then how often it is used. Tests set it to 1.
var wellKnown uint32 = 16

// sampled is how many hits there are for each that is timed, and of a well-known
// response for each that the store learns of.
const sampled = 32

// used notes that v was a hit of m, and answers the next ones.
func (m *madeKey) used(v *response, st store.Store) {
	if m.hits.Load() < wellKnown && m.hits.Add(1) < wellKnown || v.isPart() {
		return
	}
	ref := v.item.Ref()
	if by, ok := st.(store.Referrer); ok && ref == nil {
		ref = by.Ref(v.item)
	}
	if m.answer.Load() != ref {
		m.answer.Store(ref)
	}
}

// serveKnown answers a plain request, which has nothing in its header that counts
// but conditions, with what is well known to answer it: what load and reply would
// do, in a straight line. It tells whether it did.
func (rt *route) serveKnown(w http.ResponseWriter, r *http.Request, f facts) bool {
	m, _, _ := rt.keys.find(r)
	if m == nil || len(m.key) > rt.policy.Limits.Key {
		return false
	}
	now := rt.cache.clock.read()
	if now.lot() == 0 {
		return false
	}
	it := m.answer.Load().Get(now.Time)
	if it == nil {
		return false
	}
	v := rt.cache.forms.Ready(it)
	if v == nil || v.state(now.instant) != swr.Fresh || rt.policy.refreshesEarly(v, now.instant, unlikely) {
		return false
	}
	whole := f&hasConditional == 0 || !v.notModified(r.Header, now.instant)
	v.setFields(w.Header(), v.at(now.instant, rt.cache).forAll(v), whole)
	if !whole {
		w.WriteHeader(http.StatusNotModified)
	} else if w.WriteHeader(v.status); r.Method != http.MethodHead && len(v.body) > 0 {
		w.Write(v.body)
	}
	rt.record.Request(swr.Hit, ReasonNone, 0)
	return true
}
