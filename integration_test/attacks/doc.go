// Package attacks plays every row of the table of attacks over
// real sockets: on the memory store and on Redis, under http.ServeMux and under
// chi, one request after another and 50 in parallel.
//
// Most rows need no oracle of their own: the handlers are functions of the
// request, and each request must be answered through the cache as the same
// handlers answer it without one. What an attacker sends is put before, behind
// and beside what the victims send.
//
// TestMutants takes the defences out of the product one by one and shows that the
// attack then succeeds. It takes minutes: make attacks runs it (build tag mutants).
//
// ATTACKS_LONG=1 has each row played in every setting, and TestMillionURLs ask for a
// million of them. Without it each pair of a store, a router and a mode is met.
//
// Not here: "purge without a token". The tests of middleware/admin play it.
package attacks
