package consistency

// A mutant is the program with one protection taken out. The checker must catch
// it, which shows that the checker can fail, and that the protection is needed.
type mutant struct {
	race   string // of docs/guarantees.md
	what   string
	trial  string // the test that runs it
	edits  []edit
	spared bool // not a mutant: only what makes the next one's gap wide enough to be met
}

// An edit replaces the one place where a file says old.
type edit struct{ file, old, new string }

// slowPushes makes the time between an answer and the push behind it long enough
// to be met: on an idle machine it is microseconds.
var slowPushes = edit{
	"store/redisstore/conn.go", "func (c *conn) Delete(keys []rueidis.RedisMessage) {\n",
	"func (c *conn) Delete(keys []rueidis.RedisMessage) {\n\ttime.Sleep(time.Millisecond)\n",
}

// slowStart does the same for the time between a look-up and the fill after it.
var slowStart = edit{
	"swr/fill.go", "\tlease, err := g.opts.Leases.Acquire(ctx, claim)\n\tif err == nil ||",
	"\ttime.Sleep(2 * time.Millisecond)\n\tlease, err := g.opts.Leases.Acquire(ctx, claim)\n\tif err == nil ||",
}

var mutants = []mutant{
	{
		race: "R1", what: "a commit needs no lease", trial: "TestHealthy",
		edits: []edit{{"store/redisstore/lua/commit.lua", "if not cur or string.sub(cur, 1, 16) ~= ARGV[2] then return 0 end\n", ""}},
	},
	{
		race: "R1", what: "a purge leaves the leases", trial: "TestHealthy",
		edits: []edit{{"store/redisstore/purge.go", "cl.B().Unlink().Key(base+controlMark).Build()", "cl.B().Exists().Key(base+controlMark).Build()"}},
	},
	{
		race: "R1", what: "the purge logs are noted when the fill ends", trial: "TestHealthy",
		edits: []edit{{"store/redisstore/commit.go", "\tp, err := l.plan(entries)\n", "\tl.s0 = l.s.snapshot(ctx)\n\tp, err := l.plan(entries)\n"}},
	},
	{
		race: "R2", what: "followers take what was overtaken", trial: "TestHealthy",
		edits: []edit{{"swr/fill.go", "\tcase errors.Is(commit, store.ErrOvertaken):\n\t\treturn lookAgain\n", "\tcase errors.Is(commit, store.ErrOvertaken):\n\t\treturn committed\n"}},
	},
	{
		race: "R3", what: "a refresh takes its lease when it ends", trial: "TestHealthy",
		edits: []edit{{
			"swr/fill.go", "\tf.run.verdict = g.settle(f, made, err)\n",
			"\tif background {\n\t\tc := src.Claim()\n\t\tc.Hold, c.Steal = time.Minute, true\n\t\tif l, _ := g.opts.Leases.Acquire(ctx, c); l != nil {\n\t\t\tf.lease = l\n\t\t}\n\t}\n\tf.run.verdict = g.settle(f, made, err)\n",
		}},
	},
	{
		race: "R4", what: "any lease will do for a commit, if there is one", trial: "TestHealthy",
		edits: []edit{{"store/redisstore/lua/commit.lua", "if not cur or string.sub(cur, 1, 16) ~= ARGV[2] then return 0 end\n", "if not cur then return 0 end\n"}},
	},
	{
		race: "R5", what: "who has read a value puts it into local memory", trial: "TestHealthy",
		edits: []edit{{
			"store/redisstore/lookup.go", "\tif s.clock() >= it.ends {\n\t\treturn nil, store.ErrNotFound\n\t}\n\treturn it, nil\n",
			"\tif l := s.table.now.Load()[home(slot.Key)]; l != nil && l.conn != nil {\n\t\tit.conn, it.gen = l.conn, uint32(l.conn.gen.Load())\n\t\ttime.Sleep(time.Millisecond)\n\t\ts.local.put(it)\n\t}\n\treturn it, nil\n",
		}},
	},
	{race: "R6", what: "pushes are slow, and that is all", trial: "TestHealthy", edits: []edit{slowPushes}, spared: true},
	{
		race: "R6", what: "a purge of a key does not wait for its own push", trial: "TestHealthy",
		edits: []edit{
			slowPushes,
			{"store/redisstore/purge.go", ", cl.B().Unlink().Key(base).Build(), cl.B().Exists().Key(base).Build())", ", cl.B().Unlink().Key(base).Build())"},
			{"store/redisstore/purge.go", "replies[3*i].AsInt64()", "replies[2*i].AsInt64()"},
			{"store/redisstore/purge.go", "replies[3*i+1].AsInt64()", "replies[2*i+1].AsInt64()"},
			{"store/redisstore/purge.go", "\t\t_, errBarrier := replies[3*i+2].AsInt64()\n", "\t\tvar errBarrier error\n"},
			{"store/redisstore/purge.go", "\ts.dropLocal(keys)\n\tfor todo", "\tfor todo"},
			{"store/redisstore/purge.go", "\ts.dropLocal(keys)\n\tif err != nil {\n\t\ts.dropVariants(keys)", "\tif err != nil {\n\t\ts.dropVariants(keys)"},
		},
	},
	{
		race: "R6", what: "a purge of a tag does not wait for its own push", trial: "TestHealthy",
		edits: []edit{
			slowPushes,
			{"store/redisstore/purge.go", "args: head, barrier: s.keys.logs[i]}", "args: head}"},
			{"store/redisstore/purge.go", "\ts.table.forget(set)\n\tall := set\n", "\tall := set\n"},
			{"store/redisstore/purge.go", "\t// The pushes have done it already, but for a log that Redis has lost.\n\ts.table.forget(all)\n", ""},
		},
	},
	{
		race: "R8", what: "a log forgets what it has no room for", trial: "TestHealthy",
		edits: []edit{
			{"store/redisstore/lua/logpurge.lua", "while #recs > 24 * 128 do", "while #recs > 24 do"},
			{"store/redisstore/lua/logpurge.lua", "  fh = math.max(fh, a)\n  fs = math.max(fs, b)\n", ""},
		},
	},
	{
		race: "R9", what: "what a broken connection tracked is kept", trial: "TestFaults",
		edits: []edit{
			{"store/redisstore/connect.go", "opt.NewCacheStoreFn = func(rueidis.CacheStoreOption) rueidis.CacheStore { return &conn{s: s} }", "one := &conn{s: s}\n\topt.NewCacheStoreFn = func(rueidis.CacheStoreOption) rueidis.CacheStore { return one }"},
			{"store/redisstore/conn.go", "\tc.closed.Store(true)\n\tc.mu.Lock()\n", "\tc.mu.Lock()\n"},
			{"store/redisstore/conn.go", "\tc.s.beats.leave(c) // after the lock: a Flight that came first has joined\n", ""},
			{"store/redisstore/conn.go", "\tif flights != nil { // a connection without reads, one of rueidis's pools, keeps nothing\n\t\tc.flush()\n\t\tc.s.purgeAgain()\n\t}\n", ""},
			{"store/redisstore/conn.go", "\tif !answered {\n\t\tc.suspect", "\tif !answered && errors.Is(err, context.DeadlineExceeded) {\n\t\tc.suspect"},
			{"store/redisstore/conn.go", "\tif keys == nil {\n\t\tc.flush()\n\t\treturn\n\t}\n", "\tif keys == nil {\n\t\treturn\n\t}\n"},
		},
	},
	{race: "R11", what: "fills are slow to begin, and that is all", trial: "TestHealthy", edits: []edit{slowStart}, spared: true},
	{
		race: "R11", what: "a confirmation does not look again at what it confirms", trial: "TestHealthy",
		edits: []edit{slowStart, {"middleware/fill.go", "(run.Offline() || !x.stillStored(ctx))", "run.Offline()"}},
	},
	{
		race: "R12", what: "followers of a fill that fails get what its leader had found", trial: "TestHealthy",
		edits: []edit{
			{"swr/fill.go", "\tmade, err := g.work(ctx, src, f, lease, old, false)\n", "\tf.value = old\n\tmade, err := g.work(ctx, src, f, lease, old, false)\n"},
			{"swr/flight.go", "\tvar none V\n\tg.end(f, v, none)\n", "\tg.end(f, v, f.value)\n"},
			{"swr/flight.go", "\t\treturn g.outlive(ctx, src, f, t)\n", "\t\tif any(f.value) != any(*new(V)) {\n\t\t\treturn answer[V]{value: f.value, outcome: Rescued, final: true}\n\t\t}\n\t\treturn g.outlive(ctx, src, f, t)\n"},
		},
	},
	{
		race: "R13", what: "a variant need not belong to its base", trial: "TestHealthy",
		edits: []edit{{"store/item.go", "\tif variant.Of() != base.Stamp {\n\t\treturn false\n\t}\n", ""}},
	},
	{
		race: "R14", what: "what is kept locally is trusted without proof", trial: "TestFaults",
		edits: []edit{{"store/redisstore/conn.go", "return proof > c.suspect.Load() && proof > after && now-proof < c.s.trust && !c.closed.Load()", "return proof > after && !c.closed.Load()"}},
	},
	{
		race: "R14", what: "the answer of one heartbeat counts for another", trial: "TestSlowLinks",
		edits: []edit{
			{"store/redisstore/heartbeat.go", "if !underWay && !c.awaitsBeat() {", "if !underWay {"},
			{"store/redisstore/conn.go", "if sent := c.beat.Load(); c.awaitsBeat() || !c.beat.CompareAndSwap(sent, now) {", "if c.beat.CompareAndSwap(0, now); false {"},
		},
	},
	{
		race: "R15", what: "a lost log counts from the beginning", trial: "TestFaults",
		edits: []edit{
			{"store/redisstore/lua/logpurge.lua", "  inc = ARGV[1]; head = 0; fh = now; fs = now; recs = ''", "  inc = ARGV[1]; head = 0; fh = 0; fs = 0; recs = ''"},
			{"store/redisstore/lua/logpurge.lua", "local s = math.max(head + 1, now, tonumber(ARGV[2]) + 1)", "local s = head + 1"},
			{"store/redisstore/lua/logopen.lua", "struct.pack('>ddd', now, now, now)", "struct.pack('>ddd', 1, 0, 0)"},
			{"store/redisstore/purgelog.go", "\tcase l.inc != r.inc:\n\t\treturn purged\n\tcase l.head < r.s0:\n\t\treturn behind\n", ""},
			{"store/redisstore/purgelog.go", "\tif l.head < t.high[i].Load() {\n\t\tt.forget(1 << i)\n\t\treturn\n\t}\n", ""},
			{"store/redisstore/lookup.go", "ok && l.head >= high {", "ok {"},
		},
	},
	{
		race: "—", what: "a look-up does not ask the purge logs", trial: "TestHealthy",
		edits: []edit{{"store/redisstore/lookup.go", "func (s view) vouched(it *item, now int64) bool {\n", "func (s view) vouched(it *item, now int64) bool {\n\tif it.Verified() != 0 {\n\t\treturn true\n\t}\n"}},
	},
	{
		race: "R6", what: "what is dropped is still led back to", trial: "TestHealthy",
		edits: []edit{{"store/redisstore/local.go", "\t\t\te.Value.Drop()\n", ""}},
	},
	{
		race: "—", what: "a way back does not ask the purge logs", trial: "TestHealthy",
		edits: []edit{{"store/redisstore/local.go", "it.tracked(now, 0) && s.asTold().vouched(it, now) && it.ready()", "it.tracked(now, 0) && it.ready()"}},
	},
	{
		race: "R14", what: "a way back does not ask for how long the connection has been silent", trial: "TestFaults",
		edits: []edit{{"store/redisstore/local.go", "return it.tracked(now, 0) && s.asTold()", "return now < it.ends && s.asTold()"}},
	},
	{
		race: "R16", what: "in memory, what is dropped is still led back to", trial: "TestMemory",
		edits: []edit{{"store/memstore/memstore.go", "\t\t\te.Value.Drop()\n", ""}},
	},
	{
		race: "R16", what: "in memory, a way back does not ask the purge log", trial: "TestMemory",
		edits: []edit{{"store/memstore/get.go", " && it.Verified() == k.log.number.Load()", ""}},
	},
	{
		race: "R16", what: "in memory, a commit needs no lease", trial: "TestMemory",
		edits: []edit{{"store/memstore/commit.go", "\tif !sh.end(l) || l.overtaken(entries) {", "\tif sh.end(l); l.overtaken(entries) {"}},
	},
	{
		race: "R16", what: "in memory, a commit does not look at the tags", trial: "TestMemory",
		edits: []edit{{"store/memstore/commit.go", "\tif l.s.log.number.Load() == l.began {\n\t\treturn false\n\t}\n", "\tl.began = l.s.log.number.Load()\n"}},
	},
	{
		race: "R2", what: "callers of the data cache take what was overtaken", trial: "TestTyped",
		edits: []edit{{"swr/fill.go", "\tcase errors.Is(commit, store.ErrOvertaken):\n\t\treturn lookAgain\n", "\tcase errors.Is(commit, store.ErrOvertaken):\n\t\treturn committed\n"}},
	},
	{
		race: "R4", what: "Set leaves a load under way", trial: "TestTyped",
		edits: []edit{
			{"swr/cache.go", "Hold: c.config.LoadTimeout, Steal: true})", "Hold: c.config.LoadTimeout})"},
			{"swr/cache.go", "\tcase errors.Is(err, store.ErrOvertaken):\n", "\tcase errors.Is(err, store.ErrOvertaken), errors.Is(err, store.ErrHeld):\n"},
		},
	},
	{
		race: "R6", what: "what is dropped is still led back to, by the data cache", trial: "TestTyped",
		edits: []edit{{"store/redisstore/local.go", "\t\t\te.Value.Drop()\n", ""}},
	},
	{
		race: "R16", what: "in memory, what is dropped is still led back to, by the data cache", trial: "TestTypedMemory",
		edits: []edit{{"store/memstore/memstore.go", "\t\t\te.Value.Drop()\n", ""}},
	},
}
