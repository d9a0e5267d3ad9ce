// Package observability runs examples/observability: a Prometheus with its scrape
// config and its rules, on examples/chi, on Redis, under load, and asks what its
// dashboard would ask. The tests hold that there is an answer to everything; the
// program observe prints the answers.
package observability
