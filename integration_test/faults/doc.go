// Package faults lets go wrong what can go wrong around a fleet, one row of the
// fault table after another, on real servers and sockets, and prints each
// figure beside its bar.
package faults
