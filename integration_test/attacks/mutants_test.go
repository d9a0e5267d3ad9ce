//go:build mutants

package attacks

// A mutant is the product with one defence taken out. The attack must succeed
// then, which shows that it can, and that the defence is needed.
type mutant struct {
	what   string
	attack string
	edits  []edit
}

// An edit replaces the one place where a file says old.
type edit struct{ file, old, new string }

const (
	judgeFile    = "middleware/judge.go"
	lifetimeFile = "middleware/lifetime.go"
	requestFile  = "middleware/request.go"
	stateFile    = "middleware/state.go"
	keyFile      = "keyfunc/request.go"
)

func one(what, attack, file, before, after string) mutant {
	return mutant{what, attack, []edit{{file, before, after}}}
}

var mutants = []mutant{
	// Keys.
	one("reflected fields are not in the key", "reflected X-Forwarded-Host", keyFile, "\tdst = c.reflected.append(dst, r.Header)\n", ""),
	one("one reflected field is not known", "reflected X-Rewrite-Url", "keyfunc/reflected.go", "\t\"X-Rewrite-Url\",\n", ""),
	one("queries with a semicolon are sorted", "query cloaking by semicolons", "keyfunc/query.go", "\t\tcase ';':\n\t\t\treturn false\n", ""),
	one("queries are sorted by value, too", "query duplicates and their order", "keyfunc/query.go", "slices.SortStableFunc(pairs, func(a, b string) int { return compareNames(nameOf(a), nameOf(b)) })", "slices.Sort(pairs)"),
	one("queries are sorted by the bytes of the names", "query duplicates and their order", "keyfunc/query.go", "return compareNames(nameOf(a), nameOf(b))", "return strings.Compare(nameOf(a), nameOf(b))"),
	one("Host is not in the key", "Host", keyFile, "dst = appendEscaped(dst, t.host, inRequest)", `dst = appendEscaped(dst, "", inRequest)`),
	one("the rewritten path is not in the key", "a rewriting front", keyFile, "\tdst = c.appendRouted(dst, t, r.URL)\n", ""),
	one("the path as received is not in the key", "three mounts on one cache", keyFile, "dst = appendEscaped(dst, t.path, inRequest)", "dst = appendEscaped(dst, r.URL.Path, inRequest)"),
	one("the decoded path is in the key, and no other", "paths that are nearly the same", keyFile, "\tt := targetOf(r)\n", "\tt := targetOf(r)\n\tt.path, _ = url.PathUnescape(t.path)\n\tr = &http.Request{Method: r.Method, Host: r.Host, Header: r.Header, URL: &url.URL{Path: t.path, RawQuery: r.URL.RawQuery}}\n").with(keyFile, `import "net/http"`, "import (\n\t\"net/http\"\n\t\"net/url\"\n)"),
	one("values in the key are not escaped", "delimiters that forge a key", keyFile, "\tdst = appendEscaped(dst, value, inRequest)\n\treturn append(dst, '>')", "\tdst = append(dst, value...)\n\treturn append(dst, '>')"),
	one("long keys are cut", "keys over 512 bytes", "keyfunc/bound.go", "\tdst = base64.RawURLEncoding.AppendEncode(dst, sum[:])\n", "\tdst = base64.RawURLEncoding.AppendEncode(dst, sum[:0])\n"),
	one("method overrides are not looked for", "method override by X-HTTP-Method-Override", requestFile, "f |= hasOverride", "f |= 0"),
	one("a GET may have a body", "fat GET", requestFile, "case r.ContentLength != 0 || len(r.TransferEncoding) > 0:", "case false:"),
	one("requests for events are like others", "asks for events or for another protocol", requestFile, "case f&(hasUpgrade|hasOverride|wantsEvents) != 0:", "case f&(hasUpgrade|hasOverride) != 0:"),

	// Sharing.
	one("Authorization does not count", "Authorization and max-age=60", judgeFile, "if q.facts&hasAuthorization != 0 && !rfc9111.MayShareAuthorized(c) {", "if false {"),
	one("what is stored is for requests with Authorization, too", "Authorization and nothing said", stateFile, "return v.marks&implicit != 0 || x.facts&hasAuthorization != 0 && v.marks&shared == 0", "return false"),
	one("an empty first Authorization line is none", "Authorization and nothing said", requestFile, "\t\t\tf |= hasAuthorization\n", "\t\t\tif values[0] != \"\" {\n\t\t\t\tf |= hasAuthorization\n\t\t\t}\n"),
	one("Authorization does not count where nothing is said", "auth inside the cache", judgeFile, "if q.facts&hasAuthorization != 0 && !rfc9111.MayShareAuthorized(c) {", "if false {").with(lifetimeFile, "case q.facts&hasAuthorization != 0:", "case false:"),
	one("cookies do not count", "cookies and nothing said", lifetimeFile, "case q.facts&hasCookie != 0 && !p.Cookies.ignored():", "case false:"),
	one("an empty first Cookie line is none", "an empty first Cookie line", requestFile, "\t\t\tf |= hasCookie\n", "\t\t\tif values[0] != \"\" {\n\t\t\t\tf |= hasCookie\n\t\t\t}\n"),
	one("Set-Cookie is stored", "Set-Cookie and public", judgeFile, "case p.setsCookie(q.header, c):", "case false:"),
	one("set-cookie in small letters is stored", "set-cookie in small letters", "middleware/decide.go", "\trfc9111.Canonicalize(c.sent) //", "\t//").with("middleware/decide.go", "\t\"github.com/reprise-go/reprise/internal/rfc9111\"\n", ""),
	one("private is stored", "for one alone by private", judgeFile, "case c.Is(rfc9111.Private) || slices.ContainsFunc", "case slices.ContainsFunc"),
	one("no-store is stored", "for one alone by max-age=60 and no-store", judgeFile, "case q.said.noStore, c.Is(rfc9111.NoStore) && !c.Is(rfc9111.MustUnderstand):", "case q.said.noStore:"),
	one("the first Cache-Control line is all", "for one alone by max-age=60 and private", judgeFile, `slices.Concat(q.header["Cache-Control"], q.outer)`, `q.header["Cache-Control"][:min(1, len(q.header["Cache-Control"]))]`),
	one("CDN-Cache-Control does not count", "for one alone by max-age=60 and CDN-private", "middleware/policy.go", `[]string{"CDN-Cache-Control"}`, `[]string{}`),
	one("commas in quotes separate", "no lifetime but a quoted one", "internal/rfc9111/syntax.go", "case c == '\"':", "case c == '\"' && false:"),
	one("Vary: * is stored", "never again by Vary: star", judgeFile, "\tif star {\n", "\tif false && star {\n"),
	one("the first Vary line is all", "selected by Vary: Accept-Encoding and Vary: X-User", "internal/rfc9111/vary.go", `members(h["Vary"], `, `members(h["Vary"][:min(1, len(h["Vary"]))], `),
	one("Vary: Cookie is stored", "credentials in a second Vary line, Cookie", judgeFile, `if (name == "Cookie" || name == "Authorization") &&`, `if name == "Authorization" &&`),
	one("Vary: Authorization is stored", "credentials in a second Vary line, Authorization", judgeFile, `if (name == "Cookie" || name == "Authorization") &&`, `if name == "Cookie" &&`).with(judgeFile, "if q.facts&hasAuthorization != 0 && !rfc9111.MayShareAuthorized(c) {", "if false {"),
	one("followers take another variant", "collapse leak, Vary", stateFile, "if v != nil && !x.selects(v) {", "if false {"),
	one("what is not shared is made one after another", "collapse leak, private", "swr/fill.go", "\t\tg.pass(f.slot, false)\n", "").with("swr/flight.go", "\tcase f.verdict == unshared:\n\t\treturn answer[V]{unsuited: true}\n", "\tcase f.verdict == unshared:\n\t\treturn answer[V]{}\n"),

	// Poisoning.
	one("all that is not forbidden has a lifetime", "web cache deception, no policy", lifetimeFile, "\tttl, _ := p.ttl(q)\n", "\tttl := time.Minute\n"),
	one("errors have the policy's lifetime", "denied by a 400", lifetimeFile, "\tttl, _ := p.ttl(q)\n", "\tttl := p.TTL\n"),
	one("a 204 has the policy's lifetime", "denied by a 204", lifetimeFile, "\tttl, _ := p.ttl(q)\n", "\tttl := p.TTL\n"),
	one("a redirect without Location is stored", "denied by a 301 without Location", lifetimeFile, `if 300 < q.status && q.status < 400 && q.header.Get("Location") == "" {`, "if false {"),
	one("a HEAD is stored like a GET", "HEAD first, and another handler for it", stateFile, "x.r.Method == http.MethodHead && (v == nil || x.facts&hasConditional != 0)", "false").
		with(stateFile, "\tcase x.r.Method != http.MethodGet:\n\t\treturn true\n", "").
		with("middleware/decide.go", "case c.x.r.Method == http.MethodHead && !c.run.Solo():", "case false:"),
	one("a 206 is a whole response", "a 206 nobody asked for", "internal/rfc9111/storing.go", "case 206, 304, ", "case 304, ").
		with("middleware/response.go", "func (r *response) isPart() bool { return r.status == http.StatusPartialContent }", "func (r *response) isPart() bool { return false }"),
	one("a 304 brings Set-Cookie", "304 with Set-Cookie", judgeFile, "case p.setsCookie(q.header, c):", "case false:"),
	one("a 304 brings Content-Encoding", "304 with Content-Encoding and Content-Range", "internal/rfc9111/freshen.go", "\tRemoveFields(news, bodyFields)\n", ""),
	one("a 304 that turns private is stored", "304 that turns private", judgeFile, "case c.Is(rfc9111.Private) || slices.ContainsFunc", "case slices.ContainsFunc"),

	// Flooding.
	one("there is no limit of variants", "Vary explosion by values", "middleware/exchange.go", "Variants: x.rt.policy.Limits.Variants}", "Variants: 0}"),
	one("there is no limit of names in Vary", "Vary explosion by names", judgeFile, "if len(names) > p.Limits.VaryOn {", "if false {"),
	one("there is no limit of what selects", "Vary explosion by long values", "middleware/exchange.go", "x.unselected = len(x.selected) > x.rt.policy.Limits.Selected", "x.unselected = false"),
	one("there is no limit of tags", "ten thousand tags", "middleware/keep.go", "if len(tags) > p.Limits.Tags {", "if false {"),
	one("tags may be long", "ten thousand tags", "middleware/keep.go", `if t == "" || len(t) > maxTag {`, `if t == "" || len(t) > 10*maxTag {`),
	one("there is no limit of reloads", "forced reloads", stateFile, "x.reloading = x.rt.reloads.allow(x.key, x.now)", "x.reloading = true"),

	// Purging.
	one("a 403 leaves the old page", "cached 200, then 403", "middleware/decide.go", "\t\tc.gone = c.displaces(&q)\n", ""),
	one("no-store leaves the old page", "cached 200, then no-store", judgeFile, "case ReasonNoStore, ReasonNoCache, ", "case ReasonNoCache, "),
	one("private leaves the old page", "cached 200, then private", judgeFile, "ReasonNoCache, ReasonPrivate, ReasonStatus", "ReasonNoCache, ReasonStatus"),
}

// with is m with one more edit.
func (m mutant) with(file, before, after string) mutant {
	m.edits = append(m.edits, edit{file, before, after})
	return m
}
