// Package reprise is a shared HTTP response cache that lives inside a Go
// program. This package holds no code; what a program imports is below it:
//
//   - middleware wraps the handlers of chi, http.ServeMux or any other router
//     and caches what they answer, by a policy per route;
//   - middleware/admin purges, explains and shows all of it, behind the program's
//     authorisation; health answers an orchestrator's probes;
//     middleware/middlewaretest helps to test routes;
//   - keyfunc says which requests share an answer, and builds keys for data;
//   - swr is the typed data cache, and the engine of both, which decides between
//     stored, stale, filling and waiting, and knows no HTTP;
//   - store is the contract of what keeps the values: store/memstore in the
//     memory of one process, store/redisstore in Redis for a fleet,
//     store/storetest the suite that proves a store;
//   - metrics is a Prometheus collector of what all of them do.
//
// A program that uses the memory store compiles nothing of Redis, and one
// without metrics nothing of Prometheus.
//
// Import name: examples import reprise "github.com/reprise-go/reprise/middleware".
package reprise
