// Package redisstore keeps a fleet's cache in Redis, with a local tier in each
// process that Redis itself keeps true: every value read is tracked by the
// server (client-side caching), and a change pushes it out of the memory of all
// who read it.
//
// Rules of use:
//
//   - Give each application, and each environment, its own Options.Namespace.
//   - Redis 7 or later, with RESP3 and CLIENT TRACKING, directly or through
//     Sentinel or Cluster. A proxy that hides CLIENT TRACKING is not enough.
//   - The user needs the rights for GET, HGET, EXISTS, UNLINK, EVAL, EVALSHA,
//     CLIENT, SCAN and ROLE on keys that begin with the namespace, and for what
//     the scripts in lua/ call.
//   - An eviction policy costs misses, never a stale answer.
//   - Close the Store after the caches that use it.
//
// Redis may be down when New is called and at any time after. A Store that does
// not reach it reports errors, which callers take as misses, and every call
// ends by its deadline. Nothing kept locally is served for longer than
// Options.Trust after the connection last proved itself alive.
package redisstore
