package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// publicHost is the Host that every request of the demo has, whichever process
// it goes to: a load balancer would pass on the one that the client sent. Host
// is part of what is cached under which key, so two processes that saw two
// Hosts would share nothing.
const publicHost = "catalog.example"

// queriesMetric counts the SQL statements of one process.
const queriesMetric = "catalog_db_queries_total"

// An answer is a whole response, and how long it took from the request's first
// byte to the response's last.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

func (a answer) xCache() string { return a.header.Get("X-Cache") }

// want returns an error unless a has this status and this X-Cache.
func (a answer) want(status int, xCache string) error {
	if a.status != status || a.xCache() != xCache {
		return fmt.Errorf("got status %d with X-Cache %q, want %d with %q", a.status, a.xCache(), status, xCache)
	}
	return nil
}

// A probe sends requests over real connections.
type probe struct{ client *http.Client }

func newProbe(connections int) probe {
	return probe{&http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			// One transport, no proxy, nothing added: what is timed is the API.
			MaxIdleConnsPerHost: connections,
			DisableCompression:  true,
		},
	}}
}

// send makes one request. fields are names and values in turn.
func (p probe) send(ctx context.Context, method, url, body string, fields ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Host = publicHost
	for i := 0; i+1 < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	start := time.Now()
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{resp.StatusCode, resp.Header, content, time.Since(start)}, nil
}

func (p probe) get(ctx context.Context, url string, fields ...string) (answer, error) {
	return p.send(ctx, http.MethodGet, url, "", fields...)
}

// metric reads one metric without labels from a /metrics page.
func metric(page []byte, name string) (int64, error) {
	for line := range bytes.Lines(page) {
		if value, ok := strings.CutPrefix(string(line), name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int64(f), err
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}
