package model

// A mutant is the protocol without one protection, or without all that stand in
// for each other, in a fleet where that shows.
type mutant struct {
	name string
	off  protections
	c    config
}

var (
	alone    = []client{{at: 0}}
	two      = []client{{at: 0}, {at: 0}}
	apart    = []client{{at: 0}, {at: 1}}
	swapped  = []client{{at: 1}, {at: 0}}
	three    = []client{{at: 0}, {at: 0}, {at: 1}}
	same     = []client{{at: 0}, {at: 0}, {at: 0}}
	variants = []client{{at: 0}, {at: 0, variant: 1}}

	urlA    = []purger{{at: 0}}
	urlB    = []purger{{at: 1}}
	tagA    = []purger{{at: 0, tag: true}}
	tagB    = []purger{{at: 1, tag: true}}
	tagAA   = []purger{{at: 0, tag: true}, {at: 0, tag: true}}
	softA   = []purger{{at: 0, soft: true}}
	softTag = []purger{{at: 0, soft: true, tag: true}}

	beatA = [maxInstances]uint8{1, 0}
)

// The protections of docs/protocol.md. A purge touches no flight: followers are told
// what became of the commit.
var mutants = []mutant{
	// Fills and purges of the URL.
	{"COMMIT without the stamp", protections{stampCheck: true}, config{requests: two, purges: urlA}},
	{"a purge keeps the leases", protections{leaseEnd: true}, config{requests: two, purges: urlA}},
	{"a purge drops the base before the leases", protections{leaseFirst: true}, config{requests: swapped, purges: urlA}},
	{"a soft purge keeps the leases", protections{softEndsFills: true}, config{requests: two, purges: softA}},
	{"followers do not ask what became of the commit", protections{outcome: true}, config{requests: two, purges: urlA}},
	{
		"a flight takes followers while it commits", protections{seal: true},
		config{requests: two, purges: urlB, most: budget{ticks: 2, giveUps: 1}},
	},
	{
		"a fill without a verdict forgets its own process's purges", protections{ownPurges: true},
		config{requests: two, purges: urlA, most: budget{breaks: 1}, breaksAt: 1},
	},
	{
		"a fill without a verdict is shared, however old", protections{trustUnknown: true},
		config{requests: two, purges: urlB, most: budget{breaks: 1, ticks: 2}, breaksAt: 1},
	},

	// Local memory.
	{
		"no trust window, url", protections{trustWindow: true},
		config{requests: apart, purges: urlB, stored: true, warm: true, most: budget{ticks: 2}},
	},
	{
		"no trust window, tag", protections{trustWindow: true},
		config{requests: apart, purges: tagB, stored: true, warm: true, tags: true, most: budget{ticks: 2}},
	},
	{
		"answers count for later heartbeats", protections{exactBeat: true},
		config{requests: alone, purges: urlB, stored: true, warm: true, most: budget{ticks: 4}, beats: [maxInstances]uint8{3, 0}},
	},
	{"neither barrier nor drop at the end, url", protections{barrier: true, finalForget: true}, config{requests: two, purges: urlA, stored: true}},
	{
		"neither barrier nor drop at the end, tag", protections{barrier: true, finalForget: true},
		config{requests: two, purges: tagA, tags: true, stored: true, warm: true},
	},
	{"the caller puts", protections{readerPuts: true}, config{requests: two, purges: urlA, stored: true}},
	{
		"reconnect without flush", protections{flush: true},
		config{requests: alone, purges: urlB, stored: true, warm: true, most: budget{ticks: 2, breaks: 1}, breaksAt: 1, beats: beatA},
	},
	{"joins a read of any age", protections{joinYoung: true}, config{requests: two, purges: urlB, stored: true, most: budget{ticks: 2}}},
	{
		"late answers are taken for newer reads'", protections{fence: true},
		config{requests: same, purges: urlB, stored: true, most: budget{ticks: 2, giveUps: 1}},
	},

	// The log.
	{"reads do not look at the log", protections{verifyReads: true}, config{requests: two, purges: tagA, tags: true}},
	{"S0 is taken at the commit", protections{noteFirst: true}, config{requests: two, purges: tagA, tags: true}},
	{"commits do not look at the log", protections{verifyCommit: true}, config{requests: two, purges: tagA, tags: true}},
	{
		"commits do not look at the log, cluster", protections{verifyCommit: true},
		config{requests: two, purges: tagA, tags: true, cluster: true},
	},
	{
		"a lost log counts as an empty one", protections{lostLog: true},
		config{requests: two, purges: tagA, tags: true, stored: true, evict: []key{keyLog}, most: budget{evictions: 1}},
	},
	{"nobody remembers how far the log was", protections{highWater: true}, config{requests: two, purges: tagA, tags: true, stored: true, warm: true, most: budget{failovers: 1}, beats: beatA}},
	{"numbers are the head plus one", protections{hybridClock: true}, config{requests: two, purges: tagAA, tags: true, most: budget{failovers: 1}}},
	{
		"numbers are the head plus one, and logs have no incarnation", protections{hybridClock: true, highWater: true, inc: true},
		config{requests: two, purges: tagA, tags: true, stored: true, evict: []key{keyLog}, most: budget{evictions: 1}},
	},

	// Variants.
	{"variants are not tied to their record", protections{tie: true}, config{requests: variants, purges: urlA, stored: true, vary: true}},
	{
		"a record that has vanished is made again", protections{vanished: true},
		config{requests: variants, purges: softA, stored: true, vary: true, evict: []key{keyBase}, most: budget{evictions: 1}},
	},
	{"the base is written without a look", protections{swapBase: true}, config{requests: variants, stored: true, aged: true, vary: true, grow: true}},

	// What was stored and is used again.
	{
		"a 304 freshens without the lease", protections{leaseFor304: true, stillStored: true, sameBase: true},
		config{requests: two, purges: urlA, stored: true, aged: true, confirm: true},
	},
	{
		"R11, url: no look after Acquire", protections{stillStored: true, sameBase: true},
		config{requests: two, purges: urlA, stored: true, aged: true, confirm: true},
	},
	{
		"R11, tag: no look after Acquire", protections{stillStored: true},
		config{requests: two, purges: tagA, tags: true, stored: true, aged: true, confirm: true},
	},
	{
		"a 304 comes back though its base has gone", protections{sameBase: true},
		config{requests: apart, purges: urlA, stored: true, warm: true, aged: true, confirm: true},
	},
	{
		"R12: no look before rescue", protections{lookAgain: true},
		config{requests: two, purges: urlA, stored: true, aged: true, most: budget{fails: 1}},
	},
}
