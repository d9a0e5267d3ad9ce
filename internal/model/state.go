package model

// Bounds of the arrays of a world. A configuration uses what it needs.
const (
	maxInstances = 2
	maxLinks     = 2 * maxInstances
	maxRequests  = 3
	maxPurges    = 2
	maxVariants  = 2
	maxUp        = 6
	maxDown      = 8
	maxZombies   = 2
)

// A stamp names one fill, as store.Stamp does. A request fills at most once, so
// that its number makes the stamp.
type stamp uint8

const (
	noStamp stamp = iota
	initial       // what is stored when the exploration begins
	firstFill
	maxFills = firstFill + maxRequests
)

// A key is what Redis stores a value of one URL under, or the purge log. The
// control key and the count key are not read in the model.
type key uint8

const (
	keyBase key = iota
	keyVariant
	keyLog  = keyVariant + maxVariants
	maxKeys = keyLog + 1
)

// A slot is what one fill fills, and a field of the control key: the base, or a
// variant by number. It is the key of the same number.
type slot = key

const maxSlots = keyLog

// A log is the purge log (purgelog.go): one, which is home to the URL and has the tag.
type log struct {
	set        bool // there is one; of an instance's table: it is known
	inc        uint8
	head       uint8
	floor      uint8 // hardFloor and softFloor: the model raises them together
	hard, soft uint8 // of the tag
}

// Redis is the server. A write is one step, and so is a script.
type redis struct {
	base    stamp
	mark    uint8 // of the last soft purge
	variant [maxVariants]stamp
	holder  [maxSlots]stamp // of the leases, which are the control key
	lapsed  [maxSlots]bool
	log     log
	replica log   // what a failover brings back
	now     uint8 // the clock, as far as numbers were drawn from it
	incs    uint8 // how many logs were made
}

// A fill is what is known of the making of one value, and what is written into
// it. Redis, local memory and messages hold stamps only.
type fill struct {
	started bool
	// Bit p: purge p began after the handler had started. made is of the body,
	// confirmed of the last handler that vouched for it: they differ after a 304.
	made, confirmed uint8
	older           uint8 // bit s: the handler of fill s had started before
	record          bool  // it stored a new base that is a Vary record
	of              stamp // of its variant: the record it belongs to
	ref             uint8 // and the record's mark when it was filled
	noted           bool  // s0 is known
	inc, s0         uint8
	aged            bool // past its freshness, and in its stale window
}

// A message is a command on its way to Redis, or an answer or a push on its way
// back. who is the request or purge that waits for it, plus one; 0: nobody.
type message struct {
	op  op
	who uint8
	key key
	arg [6]uint8
}

type op uint8

const (
	opNone   op = iota
	opRead      // a tracked read (conn.go, Flight)
	opAsk       // an untracked read, of one whose joined read was given up (lookup.go, errJoin)
	opBeat      // heartbeat.go
	opOpen      // logopen.lua
	opLease     // acquire.lua
	opCommit    // commit.lua
	opHold      // hold.lua with 0
	opDrop      // drop.lua
	opUnlink    // purge.go, unlinkBatch: arg[0] of its commands are done
	opSoft      // soft.lua and its barrier
	opLog       // logpurge.lua and its barrier
	opPush      // an invalidation
)

// A read is a tracked read in flight that others may join.
type read struct {
	open bool
	age  uint8
}

// A conn is a tracked connection (conn.go). An instance has one to each node: to
// the URL's, and in a Cluster to the log's.
type conn struct {
	up    [maxUp]message
	down  [maxDown]message
	ups   uint8
	downs uint8

	tracks [maxKeys]bool // what Redis tracks for it

	proof   uint8 // age of proof, up to the trust window: not live
	suspect bool  // proof <= suspect

	// beat is the oldest heartbeat without an answer, for the mutant: see exactBeat.
	beat      bool
	beatAge   uint8
	beatAfter bool // it was sent after the last read that was given up
	beats     uint8

	reads [maxKeys]read

	// What was sent before the connection was lost, and Redis may still get.
	zombies [maxZombies]message
	zombie  uint8
}

// An instance is one process.
type instance struct {
	// The local tier: a stamp stands for the decoded item.
	base    stamp
	mark    uint8
	variant [maxVariants]stamp

	put message // of a mutant: what a caller has read and is about to put

	table   log
	high    uint8
	flights [maxSlots]uint8 // the leader's number plus one (swr/flight.go)
}

type phase uint8

const (
	phIdle    phase = iota
	phLook          // about to look up (again)
	phBase          // looks up the base
	phAgain         // looks at the base again before the variant (store.go, Variant)
	phVariant       // looks up the variant
	phJoin          // about to lead a flight or to join one
	phFollow        // waits for a flight
	phNote          // reads the log for S0 (lease.go, snapshot)
	phAcquire       // waits for acquire.lua
	phHeld          // waits for another's lease to end (wait.go)
	phHandler       // the handler runs
	phJudge         // looks at the log before it commits (commit.go, verdict)
	phCommit        // waits for commit.lua
	phSettle        // looks at the log again (commit.go, settle)
	phDrop          // waits for drop.lua
	phRescue        // about to look for what may stand in (flight.go, standIn)
	phDone
)

// A purpose says what a look-up is for.
type purpose uint8

const (
	toAnswer  purpose = iota
	toConfirm         // middleware/fill.go, stillStored
	toReveal          // lease.go, hidden
	toRescue
)

// A wait says what answer a request waits for.
type wait uint8

const (
	waitNone wait = iota
	waitOwn       // its own tracked read
	waitJoined
	waitAsked  // its untracked read
	waitOpened // logopen.lua
	waitScript
)

// A request is one call of a client, and the refresh behind it.
type request struct {
	phase   phase
	purpose purpose
	wait    wait
	key     key

	// Purges after which its answer may not be older: must have returned here
	// before it began, due have returned anywhere, the bound of staleness before.
	must, due uint8

	// What the look-up under way has found.
	got     stamp
	gotMark uint8
	high    uint8 // table.high before the read of the log
	behind  bool
	base    stamp
	mark    uint8
	variant stamp
	// againMark is the base's when it was looked at again, for Admit.
	againMark uint8

	// What the last look-up for an answer found: the claim.
	state       state
	seenBase    stamp
	seenMark    uint8
	seenVariant stamp
	asked       bool // acquire.lua has been run once before
	askBase     stamp
	askVariant  stamp
	nowVariant  stamp // what it found

	// Of one who waits for a flight.
	leader uint8
	late   bool // a latecomer
	early  bool // joined within the trust window

	// Of a leader.
	slot       slot
	age        uint8
	sealed     bool
	offline    bool // Redis knows of no lease
	background bool
	confirms   bool // the handler is asked to confirm old
	old        stamp
	purged     bool  // a purge here has begun or ended since Acquire
	inc, head  uint8 // of the log as it was judged
}

// A state is an swr.State, as far as the model tells them apart.
type state uint8

const (
	absent state = iota
	fallback
	stale
	fresh
)

type purgePhase uint8

const (
	purgeIdle purgePhase = iota
	purgeRuns
	purgeDone
)

type purge struct {
	phase purgePhase
	since uint8 // ticks since it returned, up to the bound of staleness
}

// A world is one state of everything. It has no pointers: worlds are compared
// and hashed as they are.
type world struct {
	redis    redis
	fills    [maxFills]fill
	at       [maxInstances]instance
	links    [maxLinks]conn // two to an instance: to the URL's node, and to the log's
	requests [maxRequests]request
	purges   [maxPurges]purge
	left     budget
}

// A budget says how often each fault may still happen.
type budget struct {
	ticks, breaks, evictions, giveUps, failovers, lapses, fails uint8
}
