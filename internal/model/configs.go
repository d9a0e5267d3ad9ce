package model

// A config is one small fleet: who asks, who purges, what may go wrong, and
// which protections are off.
type config struct {
	name     string
	requests []client
	purges   []purger
	trust    uint8 // W, in ticks; 0: 1
	deadline uint8 // how old a read may be to be joined, in ticks; 0: 1
	most     budget

	stored  bool // something is stored at first
	warm    bool // and both instances hold it
	aged    bool // and it is past its freshness
	vary    bool // the handler's answers vary
	plain   bool // and some do not: the handler chooses
	grow    bool // a fill of a variant may write a new record
	tags    bool // values carry the tag; else the log is left out
	confirm bool // the handler is asked to confirm what is stored
	swr     bool // what is past its freshness is served and refreshed; else it stands in for errors only
	evict   []key
	// breaksAt says, a bit each, which instances may lose a connection; 0: all.
	breaksAt uint8
	control  bool                // the control key may be evicted
	scripts  bool                // scripts, untracked and joined reads are given up as well as reads of one's own
	beats    [maxInstances]uint8 // how many heartbeats may be without an answer at the same time
	cluster  bool                // the log is on a node of its own, and commit.lua does not see it

	// oneUnlink: a purge drops leases and base in one command, not as built.
	oneUnlink bool

	off protections
}

// A client is where a request comes in, and which variant it selects.
type client struct{ at, variant uint8 }

type purger struct {
	at   uint8
	tag  bool
	soft bool
}

func (u *purger) key() key {
	if u.tag {
		return keyLog
	}
	return keyBase
}

// bound is how long after its return a purge may not have reached others.
func (c *config) bound() uint8 { return c.trust + c.deadline }

// protections that are switched off: the mutants.
type protections struct {
	stampCheck    bool // commit.lua stores without a lease
	leaseEnd      bool // a purge keeps the leases
	leaseFirst    bool // a purge drops the base before the leases
	outcome       bool // followers do not ask what became of the commit
	seal          bool // a flight takes followers while its commit is under way
	trustWindow   bool
	barrier       bool // a purge returns with the answer of its write
	finalForget   bool // and leaves local memory to the pushes
	readerPuts    bool // the caller puts what it read into local memory
	flush         bool // local memory outlives the connection
	joinYoung     bool // a read of any age may be joined
	fence         bool // no suspicion after a read that was given up
	exactBeat     bool // an answer counts for a heartbeat that was sent after its own
	verifyReads   bool // readers do not look at the log
	noteFirst     bool // S0 is taken at the commit
	verifyCommit  bool // a commit does not look at the log
	lostLog       bool // a lost log counts as an empty one
	hybridClock   bool // a purge's number is the head plus one
	highWater     bool // nobody remembers how far a log had come
	inc           bool // logs do not tell their incarnations apart
	tie           bool // variants are not tied to their record
	vanished      bool // a record that has vanished is made again under its stamp
	swapBase      bool // the base is written whatever it is
	softEndsFills bool // a soft purge keeps the leases
	leaseFor304   bool // what was confirmed is stored without a lease
	stillStored   bool // R11
	sameBase      bool // what was confirmed may be stored though the base has gone since
	lookAgain     bool // R12: followers of a failed fill get what its leader had found
	ownPurges     bool // a fill without a verdict forgets the purges of its own process
	trustUnknown  bool // one without a verdict is shared however old it is
}
