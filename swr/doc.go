// Package swr is the engine of the cache: it decides between what is stored,
// what is stale, filling and waiting.
//
// Programs that cache values want a [Cache]; docs/datacache.md is its manual. It
// stands on a [Group], as the HTTP middleware does.
//
// A [Group] serves values of one type. What a value means, where it is stored
// and how it is made is up to a [Source], one caller's view of one value. The
// HTTP middleware and the Cache are such views. The engine itself knows no HTTP.
//
// # Rules
//
// One fill at a time: callers who want the same slot join the flight of the
// first. Across processes the store's lease does the same.
//
// A follower takes the flight's value only if it was committed and is fresh for
// that follower. Otherwise it looks again, and fills for itself if nothing has
// changed, in parallel with others like it: answers that cannot be shared are
// never made one after another.
//
// A flight takes no followers once its commit begins. So whoever got its value
// asked before the commit, and a commit that succeeds was not overtaken by a
// purge. A request that begins after a purge has returned therefore never gets
// a value whose making began before it.
//
// A fill apart (State Apart) is for its caller only, and what comes of it is
// stored: nobody joins it, its caller's context is its own, and a fill for
// everyone takes its place and its lease.
//
// The caller who leads a flight may leave; its fill goes on for the others.
// Each caller keeps its own deadline, and waits no longer than the wait limit:
// then one of those who wait takes the lease over.
//
// A panic reaches the caller whose fill panicked, stores nothing, and leaves no
// slot locked. In a background refresh it is reported to the Observer.
//
// A store that fails is an empty store: recorded, never returned to a caller.
package swr
