// Package middlewaretest helps to test that routes are cached as they should be.
//
//	func TestProductsAreCached(t *testing.T) {
//		st := middlewaretest.NewStore(t)
//		cache, err := middleware.New(st)
//		…
//		h := routes(cache) // the program's own
//		middlewaretest.AssertMiss(t, middlewaretest.Get(t, h, "/products/42"))
//		middlewaretest.AssertHit(t, middlewaretest.Get(t, h, "/products/42"))
//
//		st.Break(errors.New("Redis is away"))
//		middlewaretest.AssertMiss(t, middlewaretest.Get(t, h, "/products/42"))
//	}
//
// All of it works in a testing/synctest bubble, where minutes pass at once: make the
// store and the cache within it.
package middlewaretest
