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

// maxRemembered is how long a key may be to be remembered, in bytes: with it
// the table is bounded by about 1 MiB.
const maxRemembered = 512

// A madeKey is a key and all of the request that it was made of.
type madeKey struct {
	host, uri, path, rawPath, rawQuery string
	secure                             bool
	key                                string
}

func newKeyTable() *keyTable { return &keyTable{seed: maphash.MakeSeed()} }

// of returns the key of r, which has no field of keyfunc.ReflectedHeaders.
func (t *keyTable) of(r *http.Request) (string, error) {
	slot := &t.slots[maphash.String(t.seed, r.RequestURI)%uint64(len(t.slots))]
	if m := slot.Load(); m != nil && m.madeOf(r) {
		return m.key, nil
	}
	key, err := keyfunc.Default(nil, r)
	if err != nil {
		return "", err
	}
	if r.RequestURI != "" && len(key) <= maxRemembered && len(r.Host)+len(r.RequestURI) <= maxRemembered {
		slot.Store(&madeKey{
			host: r.Host, uri: r.RequestURI, path: r.URL.Path, rawPath: r.URL.RawPath, rawQuery: r.URL.RawQuery,
			secure: r.TLS != nil, key: string(key),
		})
	}
	return string(key), nil
}

// madeOf tells whether r is the same to keyfunc.Default. A request line is all
// that counts of the URL, beside what routers have made of it.
func (m *madeKey) madeOf(r *http.Request) bool {
	u := r.URL
	return m.uri == r.RequestURI && m.host == r.Host && m.secure == (r.TLS != nil) &&
		u != nil && m.path == u.Path && m.rawPath == u.RawPath && m.rawQuery == u.RawQuery
}
