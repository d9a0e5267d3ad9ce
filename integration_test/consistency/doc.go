// Package consistency checks what a fleet answers against what has been purged.
//
// A trial runs instances of the cache, each with a client of its own through a
// link of its own to one real Redis. Their handlers, or the loads of a data
// cache, answer with the version that a resource has when they start. Purgers
// raise a version and purge, at an instance chosen by chance, and note when the
// purge has returned. Readers note when they asked. Every answer is then judged: by what was purged when it was
// asked for, here and elsewhere, and by what had been seen before. A schedule of
// faults, made from a seed, disturbs all of it.
//
// Mutants show that the checker can fail: each is the program with one
// protection taken out, built by an overlay of its source, and must be caught.
// That takes minutes: make consistency does it (build tag mutants).
package consistency
