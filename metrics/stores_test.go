package metrics_test

import (
	"testing"
	"time"

	"github.com/reprise-go/reprise/metrics"
)

func TestStoreOps(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{Buckets: []float64{0.1}})
	c.StoreOp("get", "ok", 2*time.Millisecond)
	c.StoreOp("get", "miss", 0)
	c.StoreOp("commit", "overtaken", 0)
	c.StoreOp("wait", "held", 0)       // known words, an unlikely pair
	c.StoreOp("scan", "ok", 0)         // an op of somebody else's store
	c.StoreOp("scan", "thrown", 500e6) // and its result
	c.StoreOp("get", "thrown", -500e6) // a clock that was set back

	expect(t, registry, `
# HELP reprise_store_operations_total Operations of the store, but for look-ups that the process's own memory answered.
# TYPE reprise_store_operations_total counter
reprise_store_operations_total{op="acquire",result="changed"} 0
reprise_store_operations_total{op="acquire",result="error"} 0
reprise_store_operations_total{op="acquire",result="full"} 0
reprise_store_operations_total{op="acquire",result="held"} 0
reprise_store_operations_total{op="acquire",result="newer"} 0
reprise_store_operations_total{op="acquire",result="ok"} 0
reprise_store_operations_total{op="acquire",result="timeout"} 0
reprise_store_operations_total{op="commit",result="error"} 0
reprise_store_operations_total{op="commit",result="large"} 0
reprise_store_operations_total{op="commit",result="ok"} 0
reprise_store_operations_total{op="commit",result="overtaken"} 1
reprise_store_operations_total{op="commit",result="timeout"} 0
reprise_store_operations_total{op="get",result="error"} 0
reprise_store_operations_total{op="get",result="miss"} 1
reprise_store_operations_total{op="get",result="newer"} 0
reprise_store_operations_total{op="get",result="ok"} 1
reprise_store_operations_total{op="get",result="other"} 1
reprise_store_operations_total{op="get",result="timeout"} 0
reprise_store_operations_total{op="get",result="unreadable"} 0
reprise_store_operations_total{op="other",result="ok"} 1
reprise_store_operations_total{op="other",result="other"} 1
reprise_store_operations_total{op="purge",result="error"} 0
reprise_store_operations_total{op="purge",result="ok"} 0
reprise_store_operations_total{op="purge",result="timeout"} 0
reprise_store_operations_total{op="release",result="error"} 0
reprise_store_operations_total{op="release",result="ok"} 0
reprise_store_operations_total{op="release",result="overtaken"} 0
reprise_store_operations_total{op="release",result="timeout"} 0
reprise_store_operations_total{op="renew",result="error"} 0
reprise_store_operations_total{op="renew",result="ok"} 0
reprise_store_operations_total{op="renew",result="overtaken"} 0
reprise_store_operations_total{op="renew",result="timeout"} 0
reprise_store_operations_total{op="wait",result="error"} 0
reprise_store_operations_total{op="wait",result="held"} 1
reprise_store_operations_total{op="wait",result="ok"} 0
reprise_store_operations_total{op="wait",result="timeout"} 0
`, "reprise_store_operations_total")
	expectDurations(t, registry, "reprise_store_operation_duration_seconds", map[string]sample{
		"acquire": {}, "commit": {}, "get": {count: 1, sum: 0.002}, "other": {count: 1, sum: 0.5},
		"purge": {}, "release": {}, "renew": {}, "wait": {},
	})
}

func TestPurges(t *testing.T) {
	c, registry := newCollector(t, metrics.Options{})
	c.Purged("tag", false, nil)
	c.Purged("tag", false, nil)
	c.Purged("key", true, nil)
	c.Purged("all", false, errDown)
	c.Purged("product:42", false, nil)

	expect(t, registry, `
# HELP reprise_purges_total Purges that this process asked for, by what they named.
# TYPE reprise_purges_total counter
reprise_purges_total{kind="all",mode="hard",result="error"} 1
reprise_purges_total{kind="all",mode="hard",result="ok"} 0
reprise_purges_total{kind="all",mode="soft",result="error"} 0
reprise_purges_total{kind="all",mode="soft",result="ok"} 0
reprise_purges_total{kind="key",mode="hard",result="error"} 0
reprise_purges_total{kind="key",mode="hard",result="ok"} 0
reprise_purges_total{kind="key",mode="soft",result="error"} 0
reprise_purges_total{kind="key",mode="soft",result="ok"} 1
reprise_purges_total{kind="match",mode="hard",result="error"} 0
reprise_purges_total{kind="match",mode="hard",result="ok"} 0
reprise_purges_total{kind="match",mode="soft",result="error"} 0
reprise_purges_total{kind="match",mode="soft",result="ok"} 0
reprise_purges_total{kind="other",mode="hard",result="ok"} 1
reprise_purges_total{kind="tag",mode="hard",result="error"} 0
reprise_purges_total{kind="tag",mode="hard",result="ok"} 2
reprise_purges_total{kind="tag",mode="soft",result="error"} 0
reprise_purges_total{kind="tag",mode="soft",result="ok"} 0
`, "reprise_purges_total")
}

func TestLocalTier(t *testing.T) {
	families := []string{
		"reprise_local_bytes", "reprise_local_budget_bytes", "reprise_local_entries", "reprise_local_evictions_total",
	}
	c, registry := newCollector(t, metrics.Options{})
	expect(t, registry, "", families...) // nothing is watched

	c.Watch("pages", size{Bytes: 9, Budget: 9, Entries: 9, Evictions: 9})
	c.Watch("users", size{Bytes: 5, Budget: 50, Entries: 1})
	c.Watch("gone", size{})
	c.Watch("pages", size{Bytes: 1 << 20, Budget: 1 << 30, Entries: 12, Evictions: 3}) // instead of the first
	c.Watch("gone", nil)
	expect(t, registry, `
# HELP reprise_local_bytes Estimated memory of what the store keeps in this process, with overhead.
# TYPE reprise_local_bytes gauge
reprise_local_bytes{store="pages"} 1.048576e+06
reprise_local_bytes{store="users"} 5
# HELP reprise_local_budget_bytes The bound of reprise_local_bytes.
# TYPE reprise_local_budget_bytes gauge
reprise_local_budget_bytes{store="pages"} 1.073741824e+09
reprise_local_budget_bytes{store="users"} 50
# HELP reprise_local_entries Entries that the store keeps in this process.
# TYPE reprise_local_entries gauge
reprise_local_entries{store="pages"} 12
reprise_local_entries{store="users"} 1
# HELP reprise_local_evictions_total Entries that were dropped from this process's memory to keep within the budget.
# TYPE reprise_local_evictions_total counter
reprise_local_evictions_total{store="pages"} 3
reprise_local_evictions_total{store="users"} 0
`, families...)
}
