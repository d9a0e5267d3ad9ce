// Package console tests the admin console in a real browser: a headless Chromium
// against a program with a router, a cache, a collector and the admin handler.
package console
