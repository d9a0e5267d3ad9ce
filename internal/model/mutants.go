package model

// A mutant is a protocol without one protection, or without all that stand for
// each other, in a fleet where that shows.
type mutant struct {
	name string
	c    config
	off  protections
}

var (
	alone    = []client{{at: 0}}
	two      = []client{{at: 0}, {at: 0}}
	apart    = []client{{at: 0}, {at: 1}}
	variants = []client{{at: 0}, {at: 0, variant: 1}}
	three    = []client{{at: 0}, {at: 0}, {at: 1}}
	urlA     = []purger{{at: 0}}
	urlB     = []purger{{at: 1}}
	tagA     = []purger{{at: 0, tag: true}}
	tagB     = []purger{{at: 1, tag: true}}
	softA    = []purger{{at: 0, soft: true}}
	softTA   = []purger{{at: 0, soft: true, tag: true}}
)

var mutants = []mutant{
	{"COMMIT without the stamp", config{requests: two, purges: urlA}, protections{stampCheck: true}},
	{"purge keeps the leases", config{requests: two, purges: urlA}, protections{leaseEnd: true}},
	{"base before the leases", config{requests: []client{{at: 1}, {at: 0}}, purges: urlA}, protections{leaseFirst: true}},
	{"followers do not ask what became of the commit", config{requests: two, purges: urlA}, protections{outcome: true}},
	{"a flight takes followers while it commits", config{requests: two, purges: urlB, most: budget{ticks: 2, giveUps: 1}}, protections{seal: true}},
	{"no trust window, url", config{requests: apart, purges: urlB, stored: true, warm: true, most: budget{ticks: 2}, beats: [2]uint8{1, 1}}, protections{trustWindow: true}},
	{"no trust window, tag", config{requests: apart, purges: tagB, stored: true, warm: true, tags: true, most: budget{ticks: 2}, beats: [2]uint8{1, 1}}, protections{trustWindow: true}},
	{"no barrier, url", config{requests: two, purges: urlA, stored: true}, protections{barrier: true, finalForget: true}},
	{"no barrier, tag", config{requests: two, purges: tagA, stored: true, warm: true, tags: true}, protections{barrier: true, finalForget: true}},
	{"the caller puts", config{requests: two, purges: urlA, stored: true}, protections{readerPuts: true}},
	{"reconnect without flush", config{requests: alone, purges: urlB, stored: true, warm: true, most: budget{ticks: 2, breaks: 1}, breaksAt: 1, beats: [2]uint8{1, 0}}, protections{flush: true}},
	{"joins a read of any age", config{requests: two, purges: urlB, stored: true, most: budget{ticks: 2}}, protections{joinYoung: true}},
	{"no fence after a read that was given up", config{requests: []client{{at: 0}, {at: 0}, {at: 0}}, purges: urlB, stored: true, most: budget{ticks: 2, giveUps: 1}}, protections{fence: true}},
	{"reads do not verify", config{requests: two, purges: tagA, tags: true}, protections{verifyReads: true}},
	{"S0 at the commit", config{requests: two, purges: tagA, tags: true}, protections{noteFirst: true}},
	{"commit does not look at the log", config{requests: two, purges: tagA, tags: true}, protections{verifyCommit: true}},
	{"a lost log counts as empty", config{requests: two, purges: tagA, stored: true, tags: true, evict: []key{keyLog}, most: budget{evictions: 1}}, protections{lostLog: true}},
	{"pure INCR after a failover", config{requests: two, purges: []purger{{at: 0, tag: true}, {at: 0, tag: true}}, stored: true, tags: true, most: budget{failovers: 1}, beats: [2]uint8{1, 1}}, protections{hybridClock: true, highWater: true}},
	{"pure INCR and no inc after an eviction", config{requests: two, purges: tagA, stored: true, tags: true, evict: []key{keyLog}, most: budget{evictions: 1}}, protections{hybridClock: true, highWater: true, inc: true}},
	{"variants not tied to their record", config{requests: variants, purges: urlA, stored: true, vary: true}, protections{tie: true}},
	{"a vanished record made again", config{requests: variants, purges: softA, stored: true, vary: true, evict: []key{keyBase}, most: budget{evictions: 1}}, protections{vanished: true}},
	{"no CAS on the base", config{requests: variants, stored: true, aged: true, vary: true, grow: true}, protections{swapBase: true}},
	{"soft purge keeps the leases", config{requests: two, purges: softA}, protections{softEndsFills: true}},
	{"304 without the lease", config{requests: two, purges: urlA, stored: true, aged: true, confirm: true}, protections{leaseFor304: true, stillStored: true, sameBase: true}},
	{"R11: no look after Acquire", config{requests: two, purges: urlA, stored: true, aged: true, confirm: true}, protections{stillStored: true, sameBase: true}},
	{"304 of what has gone since", config{requests: apart, purges: urlA, stored: true, warm: true, aged: true, confirm: true}, protections{sameBase: true}},
	{"R11 by tag", config{requests: two, purges: tagA, stored: true, aged: true, confirm: true, tags: true}, protections{stillStored: true}},
	{"R12: no look before rescue", config{requests: two, purges: urlA, stored: true, aged: true, most: budget{fails: 1}}, protections{lookAgain: true}},
	{"own purges forgotten", config{requests: two, purges: urlA, most: budget{breaks: 1}, breaksAt: 1}, protections{ownPurges: true}},
	{"shared without a verdict, however old", config{requests: two, purges: urlB, most: budget{breaks: 1, ticks: 2}, breaksAt: 1}, protections{trustUnknown: true}},
	{"answers count for later heartbeats", config{requests: alone, purges: urlB, stored: true, warm: true, most: budget{ticks: 4}, beats: [2]uint8{3, 0}}, protections{exactBeat: true}},
}
