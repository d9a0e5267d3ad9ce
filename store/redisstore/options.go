package redisstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/reprise-go/reprise/store"
)

// Options say where Redis is and how far to go with it. The zero value of each
// optional field is the default named at it.
type Options struct {
	_ [0]func()

	// URL of one Redis, instead of Addrs, Username, Password, DB and TLS:
	// redis://user:pass@host:6379/0, rediss:// for TLS, unix:///path.
	URL string
	// Addrs are host:port of one Redis, of nodes of a Cluster, or with
	// SentinelMaster of Sentinels. A single address may be a Cluster's too.
	Addrs    []string
	Username string
	Password string
	DB       int         // not with Cluster
	TLS      *tls.Config // nil: plain TCP

	SentinelMaster   string // name of the master set; "": no Sentinel
	SentinelUsername string // of the Sentinels, which have passwords of their own
	SentinelPassword string

	// Namespace is the beginning of every key, default "reprise". Caches with
	// one namespace share their entries and purges; see doc.go. It has no
	// braces and does not end in ":p1".
	Namespace string

	LocalBytes int64         // bound of this process's memory, default 64 MiB; at least 64 KiB
	Timeout    time.Duration // of each call, default 50 ms; at most 5 s
	Lease      time.Duration // life of a lease that nobody renews any more, default 3 s; 50 ms to 1 min
	// Trust is how long what is kept locally may be used after the connection
	// last proved itself alive, and so the bound of staleness in a partition;
	// default 500 ms, 20 ms to 1 min. Every quarter of it costs a small read.
	Trust time.Duration

	// MinBackoff and MaxBackoff are how long a Redis that cannot be reached is left
	// alone between two attempts in the background: MinBackoff first, then twice as
	// long each time, at most MaxBackoff. That is of the first connection, and of
	// the probe that asks, when calls have failed, until they may go on; it dials
	// anew what was lost. They do not delay a call that is made while nothing is
	// known to be wrong, which dials at once if its connection is gone; purges, which
	// try on every 10 to 250 ms until their deadline; or rueidis's own look for a
	// Sentinel's new primary, within a second. Defaults 10 ms and 250 ms; 1 ms to
	// 1 min. One alone moves the other where they would cross.
	MinBackoff time.Duration
	MaxBackoff time.Duration

	// Lazy: New returns without having tried to reach Redis. Otherwise it waits
	// for the first attempt, 80 ms at most, so that a program whose Redis is up
	// starts connected.
	Lazy bool

	// CompressOver is the least size, in bytes, of a body to compress (zstd) on
	// its way to Redis; 0: none. Compressed bodies are read whatever it says.
	// It saves Redis's memory and the network, and costs each process the time
	// to unpack a body when it first reads it; at most 32 MiB are compressed.
	CompressOver int

	Recorder store.Recorder // nil: nothing is recorded
	Logger   *slog.Logger   // of connections made, lost and regained; nil: silent
}

// An OptionError is one thing wrong with Options.
type OptionError struct {
	Field  string
	Value  any // of a URL or a password: not given
	Reason string
}

func (e *OptionError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("redisstore: Options.%s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("redisstore: Options.%s = %v: %s", e.Field, e.Value, e.Reason)
}

// withDefaults fills in what is zero.
func (o Options) withDefaults() Options {
	if o.Namespace == "" {
		o.Namespace = "reprise"
	}
	if o.LocalBytes == 0 {
		o.LocalBytes = 64 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 50 * time.Millisecond
	}
	if o.Lease == 0 {
		o.Lease = 3 * time.Second
	}
	if o.Trust == 0 {
		o.Trust = 500 * time.Millisecond
	}
	o.MinBackoff, o.MaxBackoff = o.backoff()
	if o.Recorder == nil {
		o.Recorder = silent{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// backoff returns MinBackoff and MaxBackoff: the default of one gives way to the
// other, where that is set.
func (o Options) backoff() (least, most time.Duration) {
	least, most = o.MinBackoff, o.MaxBackoff
	if least == 0 {
		least = minBackoff
		if most > 0 {
			least = min(least, most)
		}
	}
	if most == 0 {
		most = max(maxBackoff, least)
	}
	return least, most
}

// validate reports everything that is wrong with o, defaults filled in.
func (o Options) validate() error {
	var errs []error
	bad := func(field string, v any, why string) { errs = append(errs, &OptionError{field, v, why}) }
	o.validateTarget(bad)
	if strings.ContainsAny(o.Namespace, "{}") || strings.HasSuffix(o.Namespace, logMark) {
		bad("Namespace", o.Namespace, "has a brace or ends in "+logMark)
	}
	if o.LocalBytes < 64<<10 {
		bad("LocalBytes", o.LocalBytes, "less than 64 KiB")
	}
	if o.CompressOver < 0 {
		bad("CompressOver", o.CompressOver, "negative")
	}
	for _, d := range []struct {
		field        string
		v, low, high time.Duration
	}{
		{"Timeout", o.Timeout, time.Millisecond, 5 * time.Second},
		{"Lease", o.Lease, 50 * time.Millisecond, time.Minute},
		{"Trust", o.Trust, 20 * time.Millisecond, time.Minute},
		{"MinBackoff", o.MinBackoff, time.Millisecond, time.Minute},
		{"MaxBackoff", o.MaxBackoff, time.Millisecond, time.Minute},
	} {
		if d.v < d.low || d.v > d.high {
			bad(d.field, d.v, fmt.Sprintf("not from %v to %v", d.low, d.high))
		}
	}
	if o.MaxBackoff > 0 && o.MinBackoff > o.MaxBackoff {
		bad("MinBackoff", o.MinBackoff, "more than MaxBackoff")
	}
	return errors.Join(errs...)
}

const oneTarget = "exactly one of URL and Addrs is needed"

func (o Options) validateTarget(bad func(field string, v any, why string)) {
	if (o.URL == "") == (len(o.Addrs) == 0) {
		bad("Addrs", o.Addrs, oneTarget)
	}
	if o.URL != "" {
		// Parse errors may quote the URL, and with it the password.
		if _, err := rueidis.ParseURL(o.URL); err != nil {
			bad("URL", nil, "not a valid Redis URL")
		}
		if o.Username != "" || o.Password != "" || o.DB != 0 || o.TLS != nil {
			bad("URL", nil, "excludes Username, Password, DB and TLS: put them into it")
		}
	}
	for _, a := range o.Addrs {
		if strings.Contains(a, "@") { // a URL, and then perhaps with a password
			bad("Addrs", nil, "not host:port: one has an @")
		} else if _, port, err := net.SplitHostPort(a); err != nil || port == "" {
			bad("Addrs", a, "not host:port")
		}
	}
	if o.SentinelMaster == "" && o.URL == "" && o.SentinelUsername+o.SentinelPassword != "" {
		bad("SentinelPassword", nil, "without SentinelMaster")
	}
	if o.DB < 0 {
		bad("DB", o.DB, "negative")
	}
	if o.SentinelMaster == "" && len(o.Addrs) > 1 && o.DB > 0 {
		bad("DB", o.DB, "a Cluster has database 0 only")
	}
}

// client returns what rueidis needs to know, the store's hooks apart.
func (o Options) client() rueidis.ClientOption {
	var c rueidis.ClientOption
	if o.URL != "" {
		c, _ = rueidis.ParseURL(o.URL) // validated
	} else {
		c.InitAddress = append([]string(nil), o.Addrs...)
		c.Username, c.Password, c.SelectDB, c.TLSConfig = o.Username, o.Password, o.DB, o.TLS
	}
	if o.SentinelMaster != "" {
		c.Sentinel.MasterSet = o.SentinelMaster
	}
	if c.Sentinel.MasterSet != "" {
		c.Sentinel.Username, c.Sentinel.Password = o.SentinelUsername, o.SentinelPassword
		c.Sentinel.Dialer = net.Dialer{Timeout: dialTimeout}
		c.Sentinel.TLSConfig = c.TLSConfig
	}
	// Deadlines are the store's. Calls dial with their own, which is shorter.
	c.Dialer = net.Dialer{Timeout: dialTimeout, KeepAlive: 500 * time.Millisecond}
	c.ConnWriteTimeout = 500 * time.Millisecond
	c.DisableRetry, c.DisableCache, c.AlwaysRESP2 = true, false, false
	c.ClientSetInfo = rueidis.DisableClientSetInfo // one right less to ask for
	// One connection per node: only then are a purge's barrier, a heartbeat
	// and the pushes in one order.
	c.PipelineMultiplex = -1
	c.RingScaleEachConn = 12
	c.ReadBufferEachConn, c.WriteBufferEachConn = 64<<10, 64<<10
	c.ClusterOption = rueidis.ClusterOption{MaxMovedRedirections: 3, ShardsRefreshInterval: 30 * time.Second}
	return c
}

// silent is the Recorder of those who want none.
type silent struct{}

func (silent) StoreOp(string, string, time.Duration) {}
func (silent) Purged(string, bool, error)            {}
