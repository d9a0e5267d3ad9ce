// Package redisstore keeps a fleet's cache in Redis, with a local tier in each
// process that Redis itself keeps true: every value read is tracked by the
// server (client-side caching), and a change pushes it out of the memory of all
// who read it.
//
// Rules of use:
//
//   - Give each application, and each environment, its own Options.Namespace.
//   - Redis 7 or later, or a Valkey that descends from it, directly or through
//     Sentinel or Cluster. Where RESP3 or CLIENT TRACKING is missing, behind some
//     proxies, nothing is kept in this process: every look-up asks Redis, and
//     waiters poll.
//   - A user with no more rights than needed is described below.
//   - An eviction policy costs misses, never a stale answer.
//   - A purge by Match walks over the whole database, and rests as long as it works.
//     Give it a context that ends when nobody waits for it any more.
//   - Close the Store after the caches that use it.
//
// For a namespace shop, the least rights are
//
//	ACL SETUSER reprise on >secret resetkeys ~shop:* resetchannels -@all
//	  +hello +ping +select +role +scan +time +get +set +getrange +setrange +exists +unlink
//	  +hget +hset +hdel +pttl +pexpire +zadd +zcount +zrangebyscore +zrem +zscore
//	  +eval +evalsha +client|tracking +client|caching
//	  +cluster|slots +cluster|shards +readonly +asking
//
// OptionsFromEnv reads Options from variables. With Options.Logger, the log says when
// the first connection stands, when it is lost, or a node of it, and when it is
// regained: each once, and a loss within ten seconds of another not before those are
// over. Store.Ping says how things are now.
//
// Redis may be down when New is called and at any time after. A Store that does
// not reach it reports errors, which callers take as misses, and every call
// ends by its deadline. Nothing kept locally is served for longer than
// Options.Trust after the connection last proved itself alive.
package redisstore
