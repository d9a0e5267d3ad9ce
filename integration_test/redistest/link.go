package redistest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/collectors"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// A Direction is a half of a Link.
type Direction = stream.Direction

// Up is from the clients to the server, Down is back.
const (
	Up   = stream.Upstream
	Down = stream.Downstream
)

// A Link is a way to a server that can be slow, shut or cut, for all of its
// connections at once. Its methods fail the test where they cannot do what they
// say; they may be called from any goroutine.
type Link struct {
	tb    testing.TB
	proxy *toxiproxy.Proxy
}

// NewLink returns a Link to the server at addr, which ends with the test.
func NewLink(tb testing.TB, addr string) *Link {
	tb.Helper()
	registry := prometheus.NewRegistry()
	metrics := toxiproxy.NewMetricsContainer(registry)
	metrics.ProxyMetrics = collectors.NewProxyMetricCollectors()
	l := &Link{tb, toxiproxy.NewProxy(toxiproxy.NewServer(metrics, zerolog.Nop()), "link", "127.0.0.1:0", addr)}
	if err := l.proxy.Start(); err != nil {
		tb.Fatalf("redistest: link to %s: %v", addr, err)
	}
	tb.Cleanup(l.proxy.Stop)
	return l
}

// Addr returns the address, as host:port, at which clients find the link.
func (l *Link) Addr() string { return l.proxy.Listen }

// Delay holds every piece of data up for d. 0: not any more.
func (l *Link) Delay(way Direction, d time.Duration) {
	l.set(way, "latency", d > 0, map[string]any{"latency": d.Milliseconds()})
}

// Shut holds data back until the next Open, which lets it all through: as a
// frozen process, or a partition that ends, would.
func (l *Link) Shut(way Direction) { l.Delay(way, 24*time.Hour) }

// Open ends Shut and Delay.
func (l *Link) Open(way Direction) { l.Delay(way, 0) }

// CutAfter ends each connection when so many bytes have passed. Negative: not.
func (l *Link) CutAfter(way Direction, bytes int64) {
	l.set(way, "limit_data", bytes >= 0, map[string]any{"bytes": bytes})
}

// Cut ends all connections. New ones are taken.
func (l *Link) Cut() {
	l.Down()
	l.Up()
}

// Down ends all connections and refuses new ones, until Up.
func (l *Link) Down() { l.proxy.Stop() }

// Up takes connections again, at the same address.
func (l *Link) Up() {
	// Whoever connected from the port meanwhile must be gone first.
	var err error
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if err = l.proxy.Start(); err == nil {
			return
		}
	}
	l.tb.Errorf("redistest: link: %v", err)
}

// set puts one toxic in place, or takes it out.
func (l *Link) set(way Direction, kind string, on bool, attributes map[string]any) {
	name := kind + "_" + way.String()
	if l.proxy.Toxics.GetToxic(name) != nil {
		if err := l.proxy.Toxics.RemoveToxic(context.Background(), name); err != nil {
			l.tb.Errorf("redistest: link: %v", err)
		}
	}
	if !on {
		return
	}
	body, err := json.Marshal(map[string]any{
		"name": name, "type": kind, "stream": way.String(), "toxicity": 1, "attributes": attributes,
	})
	if err == nil {
		_, err = l.proxy.Toxics.AddToxicJson(strings.NewReader(string(body)))
	}
	if err != nil {
		l.tb.Errorf("redistest: link: %s: %v", fmt.Sprint(name, attributes), err)
	}
}
