package middleware

import (
	"hash/maphash"
	"net/http"
	"sync/atomic"

	"github.com/reprise-go/reprise/keyfunc"
)

// A keyTable remembers the keys that keyfunc.Default made of recent requests
// without reflected fields: to compare a request with one costs a quarter of
// making its key. It is a bounded table in which a later key takes an earlier
// one's place.
type keyTable struct {
	seed  maphash.Seed
	slots [1024]atomic.Pointer[madeKey]
}

// maxRemembered is how large a madeKey may be to be remembered, in bytes of its
// strings: with it the table is bounded by 2 MiB.
const maxRemembered = 2 << 10

// A madeKey is a key and all of the request that it was made of.
type madeKey struct {
	host, uri, path, rawPath, rawQuery string
	secure                             bool
	key                                string
}

func newKeyTable() *keyTable { return &keyTable{seed: maphash.MakeSeed()} }

// of returns the key of r, which has no field of keyfunc.ReflectedHeaders.
func (t *keyTable) of(r *http.Request) (string, error) {
	hash := maphash.String(t.seed, r.RequestURI)
	if n := len(r.Host); n > 0 { // many hosts may have the same request line
		hash += uint64(n)*31 + uint64(r.Host[0])*37 + uint64(r.Host[n/2])*41
	}
	slot := &t.slots[hash%uint64(len(t.slots))]
	if m := slot.Load(); m != nil && m.madeOf(r) {
		return m.key, nil
	}
	key, err := keyfunc.Default(nil, r)
	if err != nil {
		return "", err
	}
	m := &madeKey{
		host: r.Host, uri: r.RequestURI, path: r.URL.Path, rawPath: r.URL.RawPath, rawQuery: r.URL.RawQuery,
		secure: r.TLS != nil, key: string(key),
	}
	if m.uri != "" && m.size() <= maxRemembered {
		slot.Store(m)
	}
	return m.key, nil
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
