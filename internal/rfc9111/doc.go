// Package rfc9111 says what a shared HTTP cache may do. It decides and does
// not act: its functions are pure, they do no I/O and read no clock, and the
// section that governs each one stands above it.
//
// All functions look fields up under their canonical names
// (http.CanonicalHeaderKey). A handler may write a map entry under another
// spelling, which the server sends all the same: call Canonicalize once on
// what a handler wrote, or a no-store may be overlooked.
//
// Durations that come out of this package lie between 0 and Forever, and four
// of them can be added without overflow.
package rfc9111
