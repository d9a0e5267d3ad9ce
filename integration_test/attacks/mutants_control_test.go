//go:build mutants

package attacks

// controlMutants misread what an answer says of itself.
var controlMutants = []mutant{
	one("no-cache is used without asking", "for one alone by no-cache, max-age=60", lifetimeFile, "case c.Is(rfc9111.NoCache): // §5.2.2.4", "case false: // §5.2.2.4"),
	one("an essential field may be private", "for one alone by max-age=60, private='Content-Type'", judgeFile, "case c.Is(rfc9111.Private) || slices.ContainsFunc(c.Fields, essential):", "case c.Is(rfc9111.Private):").with(judgeFile, "func essential(field string) bool {", "var _ = essential\n\nfunc essential(field string) bool {"),
	one("private with a token is about fields", "for one alone by max-age=60, private=oops", controlFile, "\tif !quoted {\n\t\treturn whole\n\t}\n", "\tif !quoted {\n\t\treturn fields\n\t}\n"),
	one("a backslash escapes no quote", `for one alone by max-age=60, a='\'', private, b='\''`, syntaxFile, "\t\t\ti++ // a quoted pair\n", ""),
	one("a list that ends in a quoted string is complete", "for one alone by max-age=60, ext='open", controlFile, "broken = NoStore | MustUnderstand", "broken = 0"),
	one("of two lifetimes the last one counts", "for one alone by max-age=0, max-age=60", controlFile, "if c.Is(d) && seen != v {", "if false {"),
	one("a lifetime ends where its digits do", "for one alone by max-age=60x", syntaxFile, "\t\t\treturn 0, false\n", "\t\t\treturn time.Duration(n) * time.Second, true\n"),
	one("Age does not count", "for one alone by max-age=60 and Age: 60", lifetimeFile, `return len(q.header["Age"])+len(q.header["Date"]) > 0`, "return false"),
	one("an old Date does not count", "for one alone by max-age=60 and Date: Thu, 01 Jan 2026 00:00:00 GMT", lifetimeFile, `return len(q.header["Age"])+len(q.header["Date"]) > 0`, `return len(q.header["Age"]) > 0`),
	one("an event stream is stored", "for one alone by Content-Type: text-event-stream and public, max-age=60", judgeFile, `case strings.HasPrefix(strings.ToLower(first(q.header["Content-Type"])), "text/event-stream"), `, "case "),
	one("a client may take stale what must not be used so", "for one alone by max-age=0, must-revalidate, whatever a client takes", judgeFile, "j.marks |= firm", "j.marks |= 0"),
	one("no-cache may be taken stale", "for one alone by no-cache, whatever a client takes", judgeFile, "j.marks |= firm", "j.marks |= 0"),
	one("a Vary that is no list of names selects", "never again by Vary: Accept-Encoding and Vary: no token", varyFile, `if name == "*" || !isToken(name) {`, `if name == "*" {`),
	one("names in Vary have a letter case", "selected by Vary: Accept-Encoding , x-user,", varyFile, "names = append(names, http.CanonicalHeaderKey(name))", "names = append(names, name)"),
	one("an ETag alone is a reason to keep", "one ETag for all and nothing said", lifetimeFile, "if explicit || fresh > 0 || c.Is(asks) {", "if true {"),
}
