//go:build mutants

package attacks

var turnedMutants = []mutant{
	one("a 403 leaves the old page", "cached 200, then 403", decideFile, "\t\tc.gone = c.displaces(&q)\n", ""),
	one("no-store leaves the old page", "cached 200, then no-store", judgeFile, "case ReasonNoStore, ReasonNoCache, ", "case ReasonNoCache, "),
	one("private leaves the old page", "cached 200, then private", judgeFile, "ReasonNoCache, ReasonPrivate, ReasonStatus", "ReasonNoCache, ReasonStatus"),
	one("a 401 is about the request", "cached 200, then 401", judgeFile, "case http.StatusUnauthorized, http.StatusForbidden,", "case http.StatusForbidden,"),
	one("a 403 is about the request", "cached 200, then 403", judgeFile, "http.StatusForbidden, http.StatusNotFound,", "http.StatusNotFound,"),
	one("a 404 is about the request", "cached 200, then 404", judgeFile, "http.StatusNotFound, http.StatusMethodNotAllowed,\n", "http.StatusMethodNotAllowed,\n"),
	one("a 405 is about the request", "cached 200, then 405", judgeFile, ", http.StatusMethodNotAllowed,\n", ",\n"),
	one("a 410 is about the request", "cached 200, then 410", judgeFile, "\t\thttp.StatusGone, http.StatusUnavailableForLegalReasons:", "\t\thttp.StatusUnavailableForLegalReasons:"),
	one("a 451 is about the request", "cached 200, then 451", judgeFile, "http.StatusGone, http.StatusUnavailableForLegalReasons:", "http.StatusGone:"),
	one("Vary: * leaves the old page", "cached 200, then Vary: star", judgeFile, "ReasonNoFreshness, ReasonVaryOn:", "ReasonNoFreshness:"),
	one("no-cache leaves the old page", "cached 200, then no-cache", judgeFile, "case ReasonNoStore, ReasonNoCache, ", "case ReasonNoStore, "),
	one("what a refresh says does not end the page", "cached 200, refreshed to 403", fillFile, "func (f *flight[V]) alone(drop bool, why error) {\n", "func (f *flight[V]) alone(drop bool, why error) {\n\tdrop = drop && !f.background\n"),
	one("what a refresh says does not end the page, if it is no-store", "cached 200, refreshed to no-store", fillFile, "func (f *flight[V]) alone(drop bool, why error) {\n", "func (f *flight[V]) alone(drop bool, why error) {\n\tdrop = drop && !f.background\n"),
	one("what must be revalidated is used stale", "cached 200, then 503, and nothing may be used stale", lifetimeFile, "if c.Is(rfc9111.MustRevalidate | rfc9111.ProxyRevalidate | rfc9111.NoCache) {", "if false {"),
	one("an unsafe request that fails purges", "purged by an unsafe request that fails", "internal/rfc9111/invalidate.go", "return Unsafe(method) && 200 <= status && status <= 399", "return Unsafe(method)"),
	one("OPTIONS and TRACE purge", "purged by an unsafe request that fails", "internal/rfc9111/invalidate.go", "case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:", "case http.MethodGet, http.MethodHead:"),
	one("an answer purges other hosts", "purged by another host's answer", "internal/rfc9111/invalidate.go", "if err != nil || !sameOrigin(u, target) {", "if err != nil || target.Host == \"\" {").with("internal/rfc9111/invalidate.go", "func sameOrigin(", "var _ = sameOrigin\n\nfunc sameOrigin("),
	one("any answer to a POST is for later GETs", "the answer to a POST, for others", decideFile, "|| !c.x.located(c.sent)) {", "|| false) {"),
	one("the answer to a POST needs no lifetime", "the answer to a POST, for others", lifetimeFile, "case q.post: // RFC 9110 §9.3.3", "case false: // RFC 9110 §9.3.3"),
}
