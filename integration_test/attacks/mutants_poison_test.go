//go:build mutants

package attacks

var poisonMutants = []mutant{
	one("all that is not forbidden has a lifetime", "web cache deception, no policy", lifetimeFile, "\tttl, _ := p.ttl(q)\n", "\tttl := time.Minute\n"),
	one("errors have the policy's lifetime", "denied by a 400", lifetimeFile, "\tttl, _ := p.ttl(q)\n", "\tttl := p.TTL\n"),
	one("a 204 has the policy's lifetime", "denied by a 204", lifetimeFile, "\tttl, _ := p.ttl(q)\n", "\tttl := p.TTL\n"),
	one("a redirect without Location is stored", "denied by a 301 without Location", lifetimeFile, `if 300 < q.status && q.status < 400 && q.header.Get("Location") == "" {`, "if false {"),
	one("a HEAD is stored like a GET", "HEAD first, and another handler for it", stateFile, "x.r.Method == http.MethodHead && (v == nil || x.facts&hasConditional != 0)", "false").
		with(stateFile, "\tcase x.r.Method != http.MethodGet:\n\t\treturn true\n", "").
		with(decideFile, "case c.x.r.Method == http.MethodHead && !c.run.Solo():", "case false:"),
	one("a 206 is a whole response", "a 206 nobody asked for", storingFile, "case 206, 304, ", "case 304, ").
		with("middleware/response.go", "func (r *response) isPart() bool { return r.status == http.StatusPartialContent }", "func (r *response) isPart() bool { return false }"),
	one("a 304 brings Set-Cookie", "304 with Set-Cookie", judgeFile, "case p.setsCookie(q.header, c):", "case false:"),
	one("a 304 brings Content-Encoding", "304 with Content-Encoding and Content-Range", "internal/rfc9111/freshen.go", "\tRemoveFields(news, bodyFields)\n", ""),
	one("a 304 that turns private is stored", "304 that turns private", judgeFile, "case c.Is(rfc9111.Private) || slices.ContainsFunc", "case slices.ContainsFunc"),
	one("a 428 may be stored", "denied by a 428 with a lifetime", storingFile, "case 206, 304, 428, ", "case 206, 304, "),
	one("a 429 may be stored", "denied by a 429 with a lifetime", storingFile, "428, 429, 431, 511:", "428, 431, 511:"),
	one("a 431 may be stored", "denied by a 431 with a lifetime", storingFile, "429, 431, 511:", "429, 511:"),
	one("a 511 may be stored", "denied by a 511 with a lifetime", storingFile, "431, 511:", "431:"),
	one("a 416 is for all", "denied by a 416 with a lifetime", judgeFile, ", q.status == http.StatusRequestedRangeNotSatisfiable && q.facts&hasRange != 0:", ":"),
	one("an error takes a good page's place", "denied after it was stored", decideFile, "case c.status >= 400 && !aboutResource(c.status) && c.hasGood():", "case false:"),
	one("an error to one with credentials ends the page", "denied by credentials", judgeFile, "if q.facts&(hasAuthorization|hasCookie) != 0 || q.part {", "if q.part {"),
	one("a HEAD with credentials ends the page", "denied by credentials, public", keepFile, "case c.status == http.StatusPartialContent, c.x.facts&(hasAuthorization|hasCookie) != 0:", "case c.status == http.StatusPartialContent:"),
	one("an answer that is cut is stored", "denied by an answer that is cut", keepFile, "return c.length >= 0 && n != c.length || c.ctx.Err() != nil", "return c.ctx.Err() != nil"),
	one("a handler stops with its client, and what it has said is stored", "denied by who leaves", keepFile, "return c.length >= 0 && n != c.length || c.ctx.Err() != nil", "return c.length >= 0 && n != c.length").
		with(fillFile, "f.ctx.start(&f.detached, time.Now(), g.opts.FillTimeout)", "f.ctx.start(ctx, time.Now(), g.opts.FillTimeout)").
		with(keepFile, "case c.ctx.Err() != nil && c.mode == hold && c.x.standsIn(c.old):", "case false:"),
	one("all wait for a handler that hangs", "denied by who makes the handler hang", flightFile, "time.NewTimer(time.Until(t.limit))", "time.NewTimer(time.Hour)"),
	one("a part is used for the whole", "Range on a cold key, public and ETag", stateFile, "case v.isPart() && !x.within(v):", "case false:"),
	one("parts of any version are one whole", "parts of two versions", askFile, "return strong && ok && etag == other", "return strong && ok || etag == other"),
	one("a 304 confirms what it is not about", "304 with another ETag", askFile, "if rfc9111.Confirms(a.old.header(), h) {", "if true {"),
	one("a 304 confirms by its ETag alone", "304 with another Last-Modified", "internal/rfc9111/validators.go", "\t} else if len(update[\"Last-Modified\"]) == 0 {\n", "\t} else {\n"),
	one("a 304 to one with credentials is for all", "304 to one with Authorization", keepFile, "case j.why == ReasonNone && c.bearing != replaces && c.x.rt.credentialed(c.x.facts):", "case false:"),
	one("a 304 to one with cookies is for all", "304 to one with a cookie", keepFile, "case j.why == ReasonNone && c.bearing != replaces && c.x.rt.credentialed(c.x.facts):", "case false:"),
	one("a 304 may bring as many fields as it likes", "304 with a MiB of fields", judgeFile, "return size > p.Limits.Header", "return false"),
	one("a stored header may promise more than there is", "a stored header that is damaged", "middleware/codec.go", "if n <= 0 || v > uint64(len(d.rest)-n) {", "if n <= 0 {"),
	one("a stored header may have any status", "a stored header that is damaged", "middleware/codec.go", "d.bad = d.bad || r.status < 200 || r.status > 999", "_ = 0"),
	one("a stored header may have something behind it", "a stored header that is damaged", "middleware/codec.go", "if d.bad || len(d.rest) > 0 {", "if d.bad {"),
}
