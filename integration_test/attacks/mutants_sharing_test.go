//go:build mutants

package attacks

var sharingMutants = []mutant{
	one("Authorization does not count", "Authorization and max-age=60", judgeFile, "if q.facts&hasAuthorization != 0 && !rfc9111.MayShareAuthorized(c) {", "if false {"),
	one("what is stored is for requests with Authorization, too", "Authorization and nothing said", stateFile, "return v.marks&implicit != 0 || x.facts&hasAuthorization != 0 && v.marks&shared == 0", "return false"),
	one("an empty first Authorization line is none", "Authorization and nothing said", requestFile, "\t\t\tf |= hasAuthorization\n", "\t\t\tif values[0] != \"\" {\n\t\t\t\tf |= hasAuthorization\n\t\t\t}\n"),
	one("Authorization does not count where nothing is said", "auth inside the cache", judgeFile, "if q.facts&hasAuthorization != 0 && !rfc9111.MayShareAuthorized(c) {", "if false {").with(lifetimeFile, "case q.facts&hasAuthorization != 0:", "case false:"),
	one("cookies do not count", "cookies and nothing said", lifetimeFile, "case q.facts&hasCookie != 0 && !p.Cookies.ignored():", "case false:"),
	one("an empty first Cookie line is none", "an empty first Cookie line", requestFile, "\t\t\tf |= hasCookie\n", "\t\t\tif values[0] != \"\" {\n\t\t\t\tf |= hasCookie\n\t\t\t}\n"),
	one("Set-Cookie is stored", "Set-Cookie and public", judgeFile, "case p.setsCookie(q.header, c):", "case false:"),
	one("set-cookie in small letters is stored", "set-cookie in small letters", decideFile, "\trfc9111.Canonicalize(c.sent) //", "\t//").with(decideFile, "\t\"github.com/reprise-go/reprise/internal/rfc9111\"\n", ""),
	one("private is stored", "for one alone by private", judgeFile, "case c.Is(rfc9111.Private) || slices.ContainsFunc", "case slices.ContainsFunc"),
	one("no-store is stored", "for one alone by max-age=60 and no-store", judgeFile, "case q.said.noStore, c.Is(rfc9111.NoStore) && !c.Is(rfc9111.MustUnderstand):", "case q.said.noStore:"),
	one("the first Cache-Control line is all", "for one alone by max-age=60 and private", judgeFile, `lines := q.header["Cache-Control"]`, `lines := q.header["Cache-Control"][:min(1, len(q.header["Cache-Control"]))]`),
	one("CDN-Cache-Control does not count", "for one alone by max-age=60 and CDN-private", "middleware/policy.go", `[]string{"CDN-Cache-Control"}`, `[]string{}`),
	one("commas in quotes separate", "no lifetime but a quoted one", syntaxFile, "case c == '\"':", "case c == '\"' && false:"),
	one("Vary: * is stored", "never again by Vary: star", judgeFile, "\tif star {\n", "\tif false && star {\n"),
	one("the first Vary line is all", "selected by Vary: Accept-Encoding and Vary: X-User", varyFile, `members(h["Vary"], `, `members(h["Vary"][:min(1, len(h["Vary"]))], `),
	one("Vary: Cookie is stored", "credentials in a second Vary line, Cookie", judgeFile, `if (name == "Cookie" || name == "Authorization") &&`, `if name == "Authorization" &&`),
	one("Vary: Authorization is stored", "credentials in a second Vary line, Authorization", judgeFile, `if (name == "Cookie" || name == "Authorization") &&`, `if name == "Cookie" &&`).with(judgeFile, "if q.facts&hasAuthorization != 0 && !rfc9111.MayShareAuthorized(c) {", "if false {"),
	one("followers take another variant", "collapse leak, Vary", stateFile, "if v != nil && !x.selects(v) {", "if false {"),
	one("what is not shared is made one after another", "collapse leak, private", fillFile, "\t\tg.pass(f.slot, made.Why)\n", "").with(flightFile, "\tcase f.verdict == unshared:\n\t\treturn answer[V]{unsuited: true}\n", "\tcase f.verdict == unshared:\n\t\treturn answer[V]{}\n"),
	one("what is stored is for requests with cookies, too", "cookies and nothing said", requestFile, "return f&hasAuthorization != 0 || f&hasCookie != 0 && !h.policy.Cookies.ignored()", "return f&hasAuthorization != 0"),
	one("all that is stored may be shared with who has Authorization", "Authorization and max-age=60", judgeFile, "if rfc9111.MayShareAuthorized(c) {\n\t\tj.marks |= shared", "if true {\n\t\tj.marks |= shared"),
	one("public is public, whatever it is said with", "Authorization and public=1, max-age=60", controlFile, "case Public, Immutable, MustUnderstand:\n\t\tif stated {", "case Public, Immutable, MustUnderstand:\n\t\tif false {"),
	one("cookies that bypass do not", "cookies that bypass", requestFile, "case f&hasCookie != 0 && h.hasCookie(r, h.policy.Cookies.Bypass):", "case false:"),
	one("the first line of cookies is all", "cookies that select a variant", requestFile, `range h["Cookie"] {`, `range h["Cookie"][:min(1, len(h["Cookie"]))] {`),
	one("the first cookie of a name is all", "cookies that select a variant", exchangeFile, "dst = appendString(append(dst, '+'), value)\n", "dst = appendString(append(dst, '+'), value)\n\t\t\tbreak\n"),
	one("where cookies are ignored, Set-Cookie is", "cookies ignored, Set-Cookie", judgeFile, "case p.setsCookie(q.header, c):", "case p.setsCookie(q.header, c) && !p.Cookies.Ignore:"),
	one("where cookies are ignored, they are in Vary", "cookies ignored, Vary: Cookie", judgeFile, `if (name == "Cookie" || name == "Authorization") &&`, `if (name == "Cookie" && !p.Cookies.Ignore || name == "Authorization") &&`).
		with(judgeFile, "for _, name := range names {\n\t\tif (name", "names = slices.DeleteFunc(names, func(n string) bool { return n == \"Cookie\" && p.Cookies.Ignore })\n\tfor _, name := range names {\n\t\tif (name"),
	one("the policy's stripped fields are stored", "Set-Cookie that the policy strips", keepFile, "\t\trfc9111.RemoveFields(h, p.Advanced.StripHeaders)\n", ""),
	one("any field is stored, whatever the policy strips", "a field that the policy strips", keepFile, "\t\trfc9111.RemoveFields(h, p.Advanced.StripHeaders)\n", ""),
	one("a field that is private is stored", "a field that is for one alone by public, max-age=60, private='X-Echo'", keepFile, "\t\trfc9111.RemoveFields(h, j.strip) // §5.2.2.4, §5.2.2.7\n", ""),
	one("private fields have one spelling", "a field that is for one alone by public, max-age=60, private='x-echo, X-Other'", controlFile, "c.Fields = append(c.Fields, http.CanonicalHeaderKey(name))", "c.Fields = append(c.Fields, name)").
		with("internal/rfc9111/fields.go", "delete(h, http.CanonicalHeaderKey(name))", "delete(h, name)").with(controlFile, "\t\"net/http\"\n", "\t\"net/http\"\n\t_ \"net/textproto\"\n").
		with(controlFile, "func RequestControl(h http.Header) Control {", "func RequestControl(h http.Header) Control {\n\tvar _ = http.CanonicalHeaderKey"),
	one("private='Set-Cookie' leaves Set-Cookie", "a field that is for one alone by public, max-age=60, private='Set-Cookie'", keepFile, "\t\trfc9111.RemoveFields(h, j.strip) // §5.2.2.4, §5.2.2.7\n", ""),
	one("what Connection names is stored", "a field that is for one alone by Connection: X-Echo", keepFile, "\trfc9111.RemoveHopByHop(h) // RFC 9111 §3.1\n", ""),
	one("fields of outer middleware are stored", "a field of outer middleware", captureFile, "c.length = time.Now(), make(http.Header), -1", "c.length = time.Now(), x.w.Header(), -1"),
	one("Cache-Control of outer middleware does not count", "private by outer middleware", decideFile, `q.outer = c.x.w.Header()["Cache-Control"] //`, "_ = 0 //"),
	one("what is kept out by NoStore is stored", "kept out by NoStore", judgeFile, "case q.said.noStore, c.Is(", "case c.Is("),
	one("what is kept out by SetTTL is stored", "kept out by SetTTL", lifetimeFile, ", q.said.hasTTL && q.said.ttl <= 0:", ":").with(lifetimeFile, "case !explicit || q.said.hasTTL:", "case !explicit:"),
	one("a policy's condition is not asked", "kept out by a condition", requestFile, "if h.policy.Condition != nil && !h.policy.Condition(r) {", "if false {"),
	one("followers get what is not stored", "collapse leak, private", decideFile, "\t\tc.gone = c.displaces(&q)\n\t\tc.passThrough()\n", "\t\tc.hold()\n").
		with(keepFile, "\t\tif !c.isAnswer() {\n\t\t\tmade.Value = c.response(&d, &q, &j)\n\t\t}\n", "\t\tj.windows.Fresh = 1e9\n\t\tmade.Value, made.Shared = c.response(&d, &q, &j), true\n").
		with(fillFile, "verdictOf(made.Shared && g.opts.Leases == nil, nil)", "verdictOf(made.Shared, nil)"),
	one("followers get Set-Cookie", "collapse leak, Set-Cookie", decideFile, "\t\tc.gone = c.displaces(&q)\n\t\tc.passThrough()\n", "\t\tc.hold()\n").
		with(keepFile, "\t\tif !c.isAnswer() {\n\t\t\tmade.Value = c.response(&d, &q, &j)\n\t\t}\n", "\t\tj.windows.Fresh = 1e9\n\t\tmade.Value, made.Shared = c.response(&d, &q, &j), true\n").
		with(fillFile, "verdictOf(made.Shared && g.opts.Leases == nil, nil)", "verdictOf(made.Shared, nil)"),
	one("followers of what is for one alone get nothing", "collapse leak, no-store", flightFile, "case f.verdict == unshared:\n\t\treturn answer[V]{unsuited: true}", "case f.verdict == unshared:\n\t\treturn answer[V]{value: f.value, outcome: Collapsed, final: true}"),
	one("over HTTP-2, reflected fields are not in the key", "over HTTP-2, reflected Forwarded", keyFile, "\tdst = c.reflected.append(dst, r.Header)\n", ""),
	one("over HTTP-2, Set-Cookie is stored", "over HTTP-2, Set-Cookie and public", judgeFile, "case p.setsCookie(q.header, c):", "case false:"),
	one("over HTTP-2, cookies do not count", "over HTTP-2, cookies and nothing said", lifetimeFile, "case q.facts&hasCookie != 0 && !p.Cookies.ignored():", "case false:"),
}
