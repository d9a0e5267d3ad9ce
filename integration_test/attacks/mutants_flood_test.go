//go:build mutants

package attacks

var floodMutants = []mutant{
	one("there is no limit of variants", "Vary explosion by values", exchangeFile, "Variants: x.rt.policy.Limits.Variants}", "Variants: 0}"),
	one("there is no limit of names in Vary", "Vary explosion by names", judgeFile, "if len(names) > p.Limits.VaryOn {", "if false {"),
	one("there is no limit of what selects", "Vary explosion by long values", exchangeFile, "x.unselected = len(x.selected) > x.rt.policy.Limits.Selected", "x.unselected = false"),
	one("there is no limit of tags", "ten thousand tags", keepFile, "if len(tags) > p.Limits.Tags {", "if false {"),
	one("tags may be long", "ten thousand tags", keepFile, `if t == "" || len(t) > maxTag ||`, `if t == "" || len(t) > 10*maxTag ||`),
	one("there is no limit of reloads", "forced reloads", stateFile, "x.reloading = x.rt.reloads.allow(x.key, x.now, !x.dry)", "x.reloading = true"),
	one("there is no limit of ranges", "ten thousand ranges", exchangeFile, "return 0 < n && n <= maxRanges", "return 0 < n"),
	one("there is no limit of a body", "bodies over the limit, and no end of them", judgeFile, "ok && n > p.Limits.Body {", "ok && n < 0 {").with(captureFile, "int64(len(c.body)+len(p)) > c.x.rt.policy.Limits.Body {", "false {"),
	one("there is no limit of a body that does not say its length", "bodies over the limit, and no end of them", captureFile, "int64(len(c.body)+len(p)) > c.x.rt.policy.Limits.Body {", "false {"),
	one("there is no limit of a header", "fields over the limit", judgeFile, "return size > p.Limits.Header", "return false"),
	one("entries have no weight", "unique URLs", "store/memstore/memstore.go", "return uint32(size(e)) }", "return uint32(0 * size(e)) }"),
	one("bodies have no weight", "unique URLs", "store/memstore/memstore.go", "int64(n + heap.Size(len(e.Body)))", "int64(n)"),
	one("one entry may take all of the memory", "large pages, asked for often", "store/memstore/memstore.go", "min(o.Bytes/8, math.MaxUint32)", "min(o.Bytes, math.MaxUint32)"),
	one("there is no limit of who waits", "a crowd that waits", flightFile, "case f.waiting >= g.opts.Waiters:", "case false:"),
	one("the method is a label", "unique queries, cookies and forwarded hosts", "middleware/handler.go", "rt.recorded(r.Context(), swr.Bypass, why, took)", "rt.cache.opts.recorder.Policy(r.Method).Request(swr.Bypass, why, took)"),
	one("the key is a label", "unique queries, cookies and forwarded hosts", "middleware/send.go", "x.rt.recorded(x.r.Context(), o, why, took)", "x.rt.cache.opts.recorder.Policy(strings.Clone(x.key)).Request(o, why, took)").with("middleware/send.go", "\t\"strconv\"\n", "\t\"strconv\"\n\t\"strings\"\n"),
	one("how long it took is a label", "unique queries, cookies and forwarded hosts", "metrics/requests.go", "\tr.total[o].Inc()\n", "\tr.all.total.WithLabelValues(r.policy, took.String()).Inc()\n"),
}
