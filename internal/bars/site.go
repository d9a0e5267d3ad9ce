package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"

	"github.com/reprise-go/reprise/internal/measure"
	"github.com/reprise-go/reprise/metrics"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store"
	"github.com/reprise-go/reprise/store/memstore"
	"github.com/reprise-go/reprise/store/redisstore"
)

var sizes = []int{1 << 10, 16 << 10, 256 << 10}

// A page is a bare handler: it sets four fields and writes a body that is there.
type page struct {
	body   []byte
	length string
	runs   atomic.Int64
	fields []string // more of them, in pairs
	tags   []string
}

func newPage(size int) *page {
	return &page{body: bytes.Repeat([]byte("x"), size), length: strconv.Itoa(size)}
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	measure.Answer(w, p.body, p.length)
}

// counted is p behind a cache: it counts its runs, and says more.
func (p *page) counted(w http.ResponseWriter, r *http.Request) {
	p.runs.Add(1)
	for i := 0; i+1 < len(p.fields); i += 2 {
		w.Header().Set(p.fields[i], p.fields[i+1])
	}
	if len(p.tags) > 0 {
		reprise.Tag(r.Context(), p.tags...)
	}
	p.ServeHTTP(w, r)
}

// cached wraps p by a cache on st, with metrics.
func (p *page) cached(st store.Store, policy reprise.Policy) (http.Handler, error) {
	collector, err := metrics.New(metrics.Options{})
	if err != nil {
		return nil, err
	}
	cache, err := reprise.New(st, reprise.WithRecorder(collector))
	if err != nil {
		return nil, err
	}
	policy.Name = "bars"
	return cache.Handler(policy)(http.HandlerFunc(p.counted)), nil
}

func newMemory(budget int64) (*memstore.Store, error) {
	return memstore.New(memstore.Options{Bytes: budget})
}

var namespaces atomic.Int64

func (b *bench) newRedis(change func(*redisstore.Options)) (*redisstore.Store, error) {
	o := redisstore.Options{Addrs: []string{b.redis}, Namespace: fmt.Sprint("bars", namespaces.Add(1))}
	if change != nil {
		change(&o)
	}
	return redisstore.New(o)
}

// get returns a request as a simple client sends it.
func get(target string, fields ...string) func() *http.Request {
	return func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("User-Agent", "bars")
		r.Header.Set("Accept", "*/*")
		r.Header.Set("Accept-Encoding", "gzip")
		for i := 0; i+1 < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		return r
	}
}

// warm asks h until its answers come from the process's own memory and are well
// known, and makes sure of that.
func (p *page) warm(h http.Handler, r func() *http.Request, status int) error {
	var w *httptest.ResponseRecorder
	for range 40 {
		w = httptest.NewRecorder()
		h.ServeHTTP(w, r())
	}
	return p.verify(w, status)
}

func (p *page) verify(w *httptest.ResponseRecorder, status int) error {
	size := len(p.body)
	if status != http.StatusOK {
		size = 0
	}
	if p.runs.Load() != 1 || w.Header().Get("X-Cache") != "HIT" || w.Code != status || w.Body.Len() != size {
		return fmt.Errorf("not a hit: %d runs, %d, %d bytes, %v", p.runs.Load(), w.Code, w.Body.Len(), w.Header())
	}
	return nil
}
