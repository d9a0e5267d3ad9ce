// Package redistest gives tests a real Redis: never a mock, never a skip.
//
// Addr is the address of one server that all tests of a package share. It is
// found in this order:
//
//  1. REDIS_ADDR (host:port), if set: it must answer a PING.
//  2. Docker, through testcontainers-go: the image REDIS_IMAGE, or redis:8.
//     Where that cannot be pulled, a small image is built from the
//     redis-server of this machine.
//  3. A redis-server (or valkey-server) process of this machine.
//
// Where the machine has no redis-server and the tests run as root on a
// Debian-like system, the package redis-server is installed. Otherwise the
// tests fail and say what to install. REDIS_PROVIDER=addr, docker or process
// allows one of the three only. One line on the standard output tells what
// was chosen, and why not what comes before it; it is also appended to the
// file that REDIS_REPORT names, since go test hides the output of packages
// that pass.
//
// A package that uses Addr MUST run its tests through Main, which ends the
// server with them:
//
//	func TestMain(m *testing.M) { redistest.Main(m) }
//
// Process gives one test a server of its own that can be stopped, resumed,
// killed and started again.
//
// NewCluster and NewSentinelSet do the same for a Cluster and for a primary with
// replicas and Sentinels. NewLink stands between a client and a server, and can
// be slow, shut or cut.
package redistest
