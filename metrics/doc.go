// Package metrics shows to Prometheus what the cache does.
//
// A Collector is at once the middleware.Recorder and the swr.Recorder of any
// number of caches, the store.Recorder of any number of stores, and a
// prometheus.Collector. It has no
// globals: register it where you like.
//
//	collector, err := metrics.New(metrics.Options{})
//	registry.MustRegister(collector)
//	st, err := redisstore.New(redisstore.Options{Recorder: collector, …})
//	collector.Watch("pages", st) // its memory, and how it is
//	cache, err := middleware.New(st, middleware.WithRecorder(collector))
//
// Every label has a bounded set of values. What bounds them is the program's
// text, the names of its policies and stores, and the enums of this module;
// never a path, a host, a key or an error's text. All series of a policy exist,
// at 0, from when it is first named, so that rate() misses no first event.
//
// docs/metrics.md lists the metrics, what they mean and when to worry.
package metrics
