// Package admin looks into a cache and purges it: JSON for scripts, and one page, the
// console, for people.
//
// A Handler is mounted nowhere by itself. A program mounts it under a prefix that
// http.StripPrefix takes off:
//
//	mux.Handle("/admin/", http.StripPrefix("/admin", console))
//
// Whoever Options.Authorize does not let in learns nothing and changes nothing. It is
// asked before anything else, for each request, the style sheet's too. The program
// SHOULD serve the Handler by TLS, or on a listener of its own on the loopback address:
// it shows keys, tags and fields of responses. It MUST NOT stand behind a shared cache,
// this one included.
//
//	GET  /          the console; with ?url=…&method=…&fields=… an explanation on it
//	GET  /policies  the policies, with their defaults filled in
//	GET  /stats     what was counted, and the last ten minutes of it
//	GET  /purges    the last purges by this process
//	GET  /health    the stores, as health.Ready has them
//	POST /explain   what the cache does with a request, and why
//	POST /purge     drops what is stored, makes it stale, or counts it
//
// A POST is JSON, with Content-Type application/json, or one of the console's forms.
// Three lines of defence are before what it does: http.CrossOriginProtection; the
// Content-Type, which no other site's form has; and of a form the token that a cookie
// has as well.
package admin
