// Package model is an explicit-state model checker of the store protocol, as
// store/redisstore and swr have it. Its tests explore, breadth first, every
// interleaving of small fleets, and look for an answer that breaks a guarantee.
// Each protection of the protocol can be switched off; the tests show that each
// is needed, by the shortest way in which it goes wrong without.
//
// go test explores what takes seconds, make model what takes half an hour.
//
// # The fleets
//
// Two instances, up to three requests and two purges, one URL with a base and
// two variants, one purge log, which is both home to the URL and the tag's. Each
// instance has one connection to Redis, and in a Cluster a second one to the
// log's node. A connection is two queues: what was sent is executed in its order
// and answered in its order, pushes among the answers, after any delay. One step
// is what Redis does at once (a command, a script), or what an instance does
// between two waits. What wakes in a process goes on at once: what it then
// sends, and what it is sent, may be as late as one likes.
//
// What may go wrong, so often as a fleet's budget says: time passes, in ticks;
// a lease lapses; Redis evicts a base, a variant, the control key or the log; a
// call is given up by its deadline, and its answer comes later; a connection is
// lost, and what was sent over it is executed nevertheless; a handler fails; the
// log's node fails over to a replica without the last purge.
//
// # The guarantees
//
//   - G0: a variant is served under the record that it belongs to only.
//   - G1: a request that begins after a hard purge has returned in its process
//     is not answered with what was made before the purge began; after a soft
//     purge, not with what was made or confirmed before it as if it were fresh.
//   - G2: in another process the same holds once the trust window and a read's
//     deadline have passed since the purge returned, in ticks.
//   - G3: a value never takes the place of one whose handler started later.
//
// What a handler made is as old as the handler's start. What it confirmed with a
// 304 is as old as the handler that made the body: the purge may be of a change
// that the validators do not show (R11).
//
// # Where the model is not what is built
//
// In the model heartbeats may overlap, and each answer counts for its own. What
// is built cannot tell answers apart and sends one at a time, which is one of the
// orders of the model.
//
// # What is not modelled
//
//   - G4 and G8: how often handlers run, and when values expire. Expiry is an
//     eviction, as far as what is served is concerned.
//   - Several tags, a log's overflow, purges of all and by pattern, DryRun.
//   - The count key and ErrFull: they only refuse to store.
//   - The version of the purge table: each look at it judges anew.
//   - Renewals and Steal: a lease lapses at any time, whoever renews it, and to
//     take it over then is to steal it. Memos (hit-for-miss), fills apart and
//     alone, which nobody follows; deletions, which store nothing.
//   - Wait's read of the control key: a waiter looks again once the lease has
//     gone, at any time after.
//   - Tokens (read your writes): with one, a look-up is a read of Redis.
//   - Purges that fail: they promise nothing. One whose connection is lost is
//     sent again.
//   - A node that was deposed and still answers, slot migration, and a clock of
//     the new primary that is behind: limits of the design. After a failover
//     that has lost a purge, G2 is not asked for.
//   - The memory store, which is the same without delays.
//   - Data races, and the order of what one process does at the same time
//     within one step: the race detector and the tests of swr and the stores.
package model
