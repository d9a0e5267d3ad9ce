package middleware_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reprise-go/reprise/internal/rfc9111"
	"github.com/reprise-go/reprise/internal/scenario"
	"github.com/reprise-go/reprise/keyfunc"
	reprise "github.com/reprise-go/reprise/middleware"
	"github.com/reprise-go/reprise/store/memstore"
)

// FuzzDifferential sends two raw requests by turns through the cache to a
// handler that always answers the same to the same request, and holds each
// answer against the handler's own.
func FuzzDifferential(f *testing.F) {
	seedDifferential(f)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		if readRequest(one) == nil || readRequest(two) == nil {
			return
		}
		st, err := memstore.New(memstore.Options{Bytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		cache, err := reprise.New(st)
		if err != nil {
			t.Fatal(err)
		}
		h := cache.Handler(reprise.Policy{Name: "fuzz", TTL: time.Minute, StaleWhileRevalidate: time.Minute, StaleIfError: time.Minute})(
			http.HandlerFunc(pure))
		for n, raw := range [][]byte{one, two, one, two} {
			got, want := httptest.NewRecorder(), httptest.NewRecorder()
			h.ServeHTTP(got, readRequest(raw))
			pure(want, readRequest(raw))
			for _, fault := range differences(readRequest(raw), got.Result(), want.Result()) {
				t.Errorf("answer %d to %q (%s): %s", n+1, raw, got.Header().Get("Cache-Status"), fault)
			}
		}
		if err := cache.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func readRequest(raw []byte) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil
	}
	return r
}

// pure answers by the URL, by the fields that handlers reflect, by the request's
// conditions and ranges, and by the fields that its Vary names, and by nothing
// else. The query
// says how:
//
//	status, size   of the answer
//	cc, vary, expires, age, cdn, cookie, etag   fields of it; several cc: several lines
//	flush          in the middle
func pure(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	h := w.Header()
	for name, key := range map[string]string{
		"Cache-Control": "cc", "Vary": "vary", "Expires": "expires", "Age": "age", "Cdn-Cache-Control": "cdn", "Set-Cookie": "cookie", "Etag": "etag",
	} {
		for _, v := range q[key] {
			h.Add(name, strings.Map(printable, v))
		}
	}
	h.Set("Content-Type", "text/plain")
	h.Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	text := pureBody(r, q)
	if status, err := strconv.Atoi(q.Get("status")); err == nil && status > 200 && status < 600 {
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			w.Write(text)
		}
		return
	}
	if q.Has("flush") && r.Method == http.MethodGet && len(r.Header["Range"])+len(r.Header["If-None-Match"])+len(r.Header["If-Modified-Since"]) == 0 {
		w.Write(text[:len(text)/2])
		w.(http.Flusher).Flush()
		w.Write(text[len(text)/2:])
		return
	}
	http.ServeContent(w, asRFC9110(r, h), "", time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC), bytes.NewReader(text))
}

func printable(c rune) rune {
	if c < ' ' || c > '~' {
		return -1
	}
	return c
}

var reflected = keyfunc.ReflectedHeaders()

// pureBody names what the answer may depend on. Selecting fields are told
// apart more coarsely than any cache may: without case, space and order.
func pureBody(r *http.Request, q url.Values) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%q %q %q", r.Host, r.URL.Path, q.Encode())
	for _, name := range reflected {
		fmt.Fprintf(&b, "%q", r.Header[name])
	}
	for _, name := range slices.Sorted(slices.Values(strings.Split(strings.Join(q["vary"], ","), ","))) {
		list := strings.Split(strings.Join(r.Header.Values(strings.TrimSpace(name)), ","), ",")
		for i, v := range list {
			list[i] = strings.ToLower(strings.Map(visible, v))
		}
		slices.Sort(list)
		fmt.Fprintf(&b, " %q", slices.Compact(list))
	}
	size, _ := strconv.Atoi(q.Get("size"))
	b.Write(bytes.Repeat([]byte("."), min(max(size, 0), 4096)))
	return b.Bytes()
}

func visible(c rune) rune {
	if c == ' ' || c == '\t' || c == '"' || c == '\\' {
		return -1
	}
	return c
}

// asRFC9110 takes from a request what http.ServeContent makes of it otherwise
// than RFC 9110 says: it reads the first line of a list alone (§5.3), and it
// answers ranges to HEAD, in other units, and any number of them (§14.2), on
// any date that is the same in whatever form (§13.1.5), and takes dates that are
// none (§5.6.7).
func asRFC9110(r *http.Request, h http.Header) *http.Request {
	r = r.Clone(r.Context())
	for _, name := range []string{"If-None-Match", "If-Match"} {
		if lines := r.Header[name]; len(lines) > 1 {
			r.Header[name] = []string{strings.Join(lines, ", ")}
		}
	}
	if since := r.Header["If-Modified-Since"]; len(since) > 0 {
		if t, ok := rfc9111.ParseDate(since[0], time.Now()); ok {
			r.Header.Set("If-Modified-Since", t.UTC().Format(http.TimeFormat))
		} else {
			r.Header.Del("If-Modified-Since")
		}
	}
	unit, set, _ := strings.Cut(r.Header.Get("Range"), "=")
	condition := r.Header.Get("If-Range")
	holds := len(r.Header["If-Range"]) == 0 || condition != "" && condition == h.Get("Etag") || condition == h.Get("Last-Modified")
	if r.Method != http.MethodGet || !strings.EqualFold(unit, "bytes") || strings.Count(set, ",") >= 16 || !holds {
		r.Header.Del("Range")
	} else {
		r.Header.Set("Range", "bytes="+set)
	}
	return r
}

// differences tells where an answer through the cache is not what the handler
// says, beyond what a cache may add.
func differences(r *http.Request, got, want *http.Response) (faults []string) {
	control := strings.ToLower(strings.Join(r.Header["Cache-Control"], ","))
	if got.StatusCode == http.StatusGatewayTimeout && strings.Contains(control, "only-if-cached") {
		return nil
	}
	if got.StatusCode != want.StatusCode {
		return []string{fmt.Sprintf("status %d, want %d", got.StatusCode, want.StatusCode)}
	}
	if a, b := content(got), content(want); !bytes.Equal(a, b) && r.Method != http.MethodHead && got.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		faults = append(faults, fmt.Sprintf("body %q, want %q", a, b))
	}
	// no-cache="f" and private="f" withhold fields of what is stored.
	withheld := strings.ToLower(strings.Join(want.Header["Cache-Control"], ","))
	names := maps.Clone(want.Header)
	maps.Copy(names, got.Header)
	for name := range names {
		a, b := got.Header[name], want.Header[name]
		switch name {
		case "Age", "Cache-Status", "X-Cache", "Date", "Content-Length", "Accept-Ranges":
			continue
		case "Content-Type":
			if strings.HasPrefix(got.Header.Get(name), "multipart/byteranges") && strings.HasPrefix(want.Header.Get(name), "multipart/byteranges") {
				continue // each has a boundary of its own
			}
		case "Etag":
			if want.Header.Get(name) == "" {
				continue // one of ours
			}
		case "Last-Modified":
			if got.StatusCode == http.StatusNotModified {
				continue // is left out beside an ETag, which may be ours
			}
		}
		if !slices.Equal(a, b) && (a != nil || !strings.Contains(withheld, strings.ToLower(name))) {
			faults = append(faults, fmt.Sprintf("%s: %q, want %q", name, a, b))
		}
	}
	return faults
}

// content is the body, with the boundary of several ranges made the same.
func content(r *http.Response) []byte {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return []byte(err.Error())
	}
	if _, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && params["boundary"] != "" {
		return bytes.ReplaceAll(text, []byte(params["boundary"]), []byte("boundary"))
	}
	return text
}

func seedDifferential(f *testing.F) {
	add := func(one, two []byte) {
		if readRequest(one) == nil || readRequest(two) == nil {
			f.Fatalf("a seed that is no request: %q, %q", one, two)
		}
		f.Add(one, two)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	get := func(query string, fields ...string) []byte {
		return []byte("GET /p?" + query + " HTTP/1.1\r\n" + strings.Join(append([]string{"Host: h"}, fields...), "\r\n") + "\r\n\r\n")
	}
	tagged := "cc=max-age%3D60&etag=%22v1%22"
	for _, pair := range [][2][]byte{
		{get("cc=max-age%3D60"), get("")},
		{get(tagged, `If-None-Match: "v1"`), get(tagged)},
		{get(tagged), get(tagged, `If-None-Match: "v0", W/"v1"`)},
		{get(tagged), get(tagged, "If-Modified-Since: Mon, 02 Jan 2006 15:04:05 GMT")},
		{get(tagged, "Range: bytes=0-3"), get(tagged)},
		{get(tagged), get(tagged, "Range: bytes=-3", `If-Range: "v1"`)},
		{get(tagged), get(tagged, "Range: bytes=2-4,7-8")},
		{get(tagged), get(tagged, "Range: bytes=9999-")},
		{get("vary=Accept-Language", "Accept-Language: de, en"), get("vary=Accept-Language", "Accept-Language: EN,de")},
		{get("vary=X-A,X-B", "X-A: 1", "X-B: 2"), get("vary=X-A,X-B", "X-A: 1")},
		{get("vary=*"), get("vary=Cookie", "Cookie: a=b")},
		{get("status=404"), get("status=500", "Cookie: a=b")},
		{get("status=301&cc=max-age%3D60"), get("status=206&cc=max-age%3D60")},
		{get("cookie=a%3Db&cc=public,max-age%3D60"), get("age=70&cc=max-age%3D60")},
		{get("cdn=max-age%3D60&cc=no-store"), get("cc=private%3D%22set-cookie%22,max-age%3D60&cookie=a%3Db")},
		{get("flush=1&size=4000"), get("flush=1&size=4000", "Range: bytes=5-6")},
		{get("a=1&b=2"), get("b=2&a=1")},
		{bytes.Replace(get("cc=max-age%3D60"), []byte("Host: h"), []byte("Host: host1"), 1), bytes.Replace(get("cc=max-age%3D60"), []byte("Host: h"), []byte("Host: host2"), 1)},
		{get("cc=max-age%3D60", "Authorization: Basic YTpi"), get("cc=max-age%3D60")},
		{get("cc=max-age%3D60"), []byte("HEAD /p?cc=max-age%3D60 HTTP/1.1\r\nHost: h\r\n\r\n")},
		{get("cc=max-age%3D60"), []byte("POST /p?cc=max-age%3D60 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")},
		{get("cc=max-age%3D60"), get("cc=max-age%3D60", "Cache-Control: no-cache")},
		{get("cc=max-age%3D60"), get("cc=max-age%3D60", "Cache-Control: only-if-cached")},
		{get("cc=max-age%3D60"), []byte("GET /p?cc=max-age%3D60 HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: evil\r\n\r\n")},
		{get("cc=no-cache&etag=%22v1%22"), get("cc=no-cache&etag=%22v1%22", `If-None-Match: "v1"`)},
		{get("cc=max-age%3D0"), get("cc=max-age%3D0", "Range: bytes=1-2")}, // confirmed by its date
		{get("cc=max-age%3D60,stale-while-revalidate%3D60&age=61"), get("cc=max-age%3D60,stale-while-revalidate%3D60&age=61", "Range: bytes=0-0")},
		{get("cc=max-age%3D60&age=61&etag=W/%22v1%22"), get("cc=max-age%3D60&age=61&etag=W/%22v1%22", "Cache-Control: max-stale")},
		{get(tagged, "Range: bytes=4-9"), get(tagged, "Range: bytes=5-6")},
		{get(tagged, "Range: bytes=-9"), get(tagged, `If-None-Match: "v1"`)},
		{get(tagged, "Range: bytes=0-1", "If-Range:"), get(tagged, "Range: bytes=0-1", "If-Range: W/\"v1\"")},
		{get("cc=no-store", "If-Modified-Since: Mon, 02 Jan 2006 15:04:05 GMT"), get("cc=private", "If-Modified-Since: Mon, 02 Jan 2006  15:04:05 GMT")},
		{[]byte("GET http://h/p?cc=max-age%3D60 HTTP/1.1\r\nHost: h\r\n\r\n"), get("cc=max-age%3D60")},
	} {
		add(pair[0], pair[1])
	}
	for key, name := range map[string]string{"cc": "Cache-Control", "vary": "Vary", "expires": "Expires", "age": "Age", "cdn": "CDN-Cache-Control"} {
		for _, v := range scenario.Values(name, now) {
			request := get(key + "=" + url.QueryEscape(v))
			add(request, request)
		}
	}
	for _, name := range []string{"Range", "If-None-Match", "If-Range", "Cache-Control", "Accept-Language"} {
		for _, v := range scenario.Values(name, now) {
			add(get(tagged+"&vary=Accept-Language"), get(tagged+"&vary=Accept-Language", name+": "+v, "Range: bytes=1-2"))
		}
	}
	for _, r := range scenario.Requests(now) {
		add([]byte(r), []byte(r))
	}
}
