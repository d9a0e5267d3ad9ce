package middleware_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	reprise "github.com/reprise-go/reprise/middleware"
)

const fileSize = 1000

// versions is an origin whose file changes now and then: version n is that
// letter all over, and its ETag. It answers conditions and ranges, takes no
// notice of If-Range, and breaks off now and then.
type versions struct{ n atomic.Int64 }

func (v *versions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	letter := byte('a' + v.n.Load()%26)
	w.Header().Set("Etag", `"`+string(letter)+`"`)
	w.Header().Set("Cache-Control", []string{"max-age=0", "no-cache", "max-age=1", "max-age=0, stale-while-revalidate=5"}[rand.N(4)])
	body := bytes.Repeat([]byte{letter}, fileSize)
	if rand.N(50) == 0 && r.Method == http.MethodGet && r.Header.Get("Range") == "" && r.Header.Get("If-None-Match") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(fileSize))
		w.Write(body[:fileSize/2])
		panic(http.ErrAbortHandler)
	}
	r.Header.Del("If-Range")
	http.ServeContent(w, r, "file.txt", time.Time{}, bytes.NewReader(body))
}

// Clients with conditions, ranges, reloads and HEADs, through a ReverseProxy that
// flushes at each write, get nothing that is of two versions, or not what its
// header says.
func TestNobodyGetsAMixtureThroughAProxyThatFlushes(t *testing.T) {
	origin := &versions{}
	quietLog := log.New(io.Discard, "", 0)
	upstream := httptest.NewUnstartedServer(origin)
	upstream.Config.ErrorLog = quietLog
	upstream.Start()
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	cache := newCache(t)
	proxy := httptest.NewUnstartedServer(cache.Handler(reprise.Policy{Name: "proxy"})(&httputil.ReverseProxy{
		Rewrite:       func(pr *httputil.ProxyRequest) { pr.SetURL(target); pr.Out.Host = pr.In.Host },
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      quietLog,
	}))
	proxy.Config.ErrorLog = quietLog
	proxy.Start()
	defer proxy.Close()

	var clients sync.WaitGroup
	var whole, parts, confirmed atomic.Int64
	for range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			defer client.CloseIdleConnections()
			for range 300 {
				switch rand.N(20) {
				case 0, 1:
					origin.n.Add(1)
				case 2, 3, 4: // so that there are parts without a whole
					if _, err := cache.PurgeAll(t.Context()); err != nil {
						t.Error(err)
					}
				}
				r := anyRequest(t, proxy.URL)
				res, err := client.Do(r)
				if err != nil {
					continue // the origin broke off
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode == http.StatusBadGateway {
					continue
				}
				switch fault := mixture(r, res, body); {
				case fault != "":
					t.Errorf("%s %v got %d %v, %d bytes: %s", r.Method, r.Header, res.StatusCode, res.Header, len(body), fault)
				case res.StatusCode == http.StatusPartialContent:
					parts.Add(1)
				case res.StatusCode == http.StatusNotModified:
					confirmed.Add(1)
				default:
					whole.Add(1)
				}
			}
		})
	}
	clients.Wait()
	if whole.Load() == 0 || parts.Load() == 0 || confirmed.Load() == 0 {
		t.Errorf("%d whole, %d parts, %d not modified: the test has not seen them all", whole.Load(), parts.Load(), confirmed.Load())
	}
}

func anyRequest(t *testing.T, target string) *http.Request {
	method := http.MethodGet
	if rand.N(6) == 0 {
		method = http.MethodHead
	}
	r, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("%s/file%d", target, rand.N(2)), nil)
	if err != nil {
		t.Fatal(err)
	}
	switch first := rand.N(fileSize); rand.N(8) {
	case 0, 1:
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", first, first+rand.N(fileSize-first)))
	case 2:
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", first))
	case 3:
		r.Header.Set("Range", fmt.Sprintf("bytes=-%d", first+1))
	case 4:
		r.Header.Set("If-None-Match", fmt.Sprintf(`"%c"`, 'a'+rand.N(26)))
	case 5:
		r.Header.Set("Cache-Control", "no-cache")
	}
	return r
}

// mixture tells what is wrong with an answer.
func mixture(r *http.Request, res *http.Response, body []byte) string {
	letter := strings.Trim(res.Header.Get("Etag"), `"`)
	size := int64(fileSize)
	if cr := res.Header.Get("Content-Range"); res.StatusCode == http.StatusPartialContent {
		var first, last, total int64
		if n, _ := fmt.Sscanf(cr, "bytes %d-%d/%d", &first, &last, &total); n != 3 || total != fileSize {
			return "a strange Content-Range"
		}
		size = last - first + 1
	}
	switch {
	case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusPartialContent && res.StatusCode != http.StatusNotModified:
		return "a strange status"
	case len(letter) != 1:
		return "a strange ETag"
	case res.StatusCode == http.StatusNotModified && r.Header.Get("If-None-Match") != `"`+letter+`"`:
		return "nobody asked that"
	case res.StatusCode != http.StatusNotModified && res.ContentLength != size:
		return "a wrong length"
	case res.StatusCode == http.StatusNotModified || r.Method == http.MethodHead:
		if len(body) > 0 {
			return "a body"
		}
	case int64(len(body)) != size || bytes.Count(body, []byte(letter)) != len(body):
		return "not what its header says"
	}
	return ""
}
